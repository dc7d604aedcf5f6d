import { ConfigError } from '../../config.ts'
import { AppError } from '../../kernel/errors.ts'
import { negotiateLocale } from '../../kernel/i18n.ts'
import type { Locale } from '../../kernel/schema.ts'
import { problemOf } from '../problem.ts'

/** The terminal's language: Node takes its own from LC_ALL, LC_MESSAGES and LANG. */
export const terminalLocale = (): Locale => negotiateLocale(new Intl.DateTimeFormat().resolvedOptions().locale, 'fr')

export const print = (line: string): void => void process.stdout.write(`${line}\n`)
export const complain = (line: string): void => void process.stderr.write(`${line}\n`)

/** An answer: indented for people, one line for programs. */
export function printJson(body: string): void {
  print(process.stdout.isTTY && body ? JSON.stringify(JSON.parse(body), null, 2) : body || 'null')
}

/** What went wrong, for the person at the terminal. Only what nobody foresaw is shown with its stack. */
export function describe(error: unknown, locale = terminalLocale()): string {
  if (error instanceof AppError && error.kind !== 'internal') {
    const { title, detail, errors } = problemOf(error, locale, '')
    return [
      title,
      ...errors.map((field) => `  ${field.path.slice(1)}: ${field.detail}`),
      ...(errors.length || detail === title ? [] : [detail]),
    ].join('\n')
  }
  if (error instanceof ConfigError) return error.message
  if (error instanceof AppError) return describe(error.cause ?? new Error(error.code), locale)
  if (!(error instanceof Error)) return String(error)
  if ('code' in error || error.constructor === Error) {
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
    return (error.message || String((error as { code?: unknown }).code)) + cause
  }
  return error.stack ?? error.message
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
