import { readFileSync } from 'node:fs'

/** A rule that no linter has: what is forbidden, where, and why. */
interface HouseRule {
  name: string
  why: string
  forbids: RegExp
  /** Files it looks at. */
  in: RegExp
  except?: RegExp
}

export const HOUSE_RULES: HouseRule[] = [
  {
    name: 'one-clock',
    why: 'business time comes from the database, other time from server/kernel/clock.ts',
    forbids: /\bDate\.now\(|new Date\(\)|Temporal\.Now\./,
    in: /^server\/(kernel|modules|transports)\//,
    except: /\.test\.ts$|^server\/kernel\/(clock|log)\.ts$/,
  },
  {
    name: 'no-mocks',
    why: 'tests run on the real database',
    forbids: /\bvi\.(mock|fn|spyOn)\(/,
    in: /\.test\.ts$/,
  },
  {
    name: 'no-focused-tests',
    why: 'a focused or skipped test hides the others',
    forbids: /\b(test|it|describe)\.(only|todo)\(/,
    in: /\.test\.ts$/,
  },
  {
    name: 'no-sum-across-await',
    why: '`sum += await …` reads the sum before it waits and forgets what others added meanwhile',
    forbids: /[-+]= *\(?await\b/,
    in: /\.tsx?$/,
    except: /^scripts\/house-rules\.ts$/,
  },
  {
    name: 'logical-css',
    why: 'screens are mirrored in Arabic: say inline-start and inline-end, not left and right',
    forbids:
      /(?:^|[\s;{])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*|left|right|(?:float|clear|text-align)\s*:\s*(?:left|right)\b)\s*(?::|;)|style=\{\{[^}]*\b(?:left|right|(?:margin|padding)(?:Left|Right))\s*:/m,
    in: /^web\/.*\.(css|tsx)$/,
  },
  {
    name: 'screens-import-no-server',
    why: 'a screen sees web/ui, web/data and shared only: not the server, and no other app',
    forbids: /from '(?:\.\.\/)+server\/|from '(?:\.\.\/)+(?:apps\/)?(?:visitor|booking|display|console|kiosk|kit)\//,
    in: /^web\/.*\.tsx$/,
  },
  {
    name: 'no-enum-types',
    why: 'comparisons of a PostgreSQL enum are not leakproof, so no index works behind a tenant policy',
    forbids: /create type .* as enum/i,
    in: /^db\/migrations\//,
  },
  {
    name: 'migration-kind',
    why: 'the first line says how a migration may be rolled out',
    forbids: /^(?!-- (expand|contract|breaking)\r?\n)/,
    in: /^db\/migrations\//,
  },
]

/** Every violation of the house rules in `files`, one line each. */
export function houseRuleViolations(
  files: readonly string[],
  read = (file: string) => readFileSync(file, 'utf8'),
): string[] {
  return [
    ...migrationsTwice(files),
    ...files.flatMap((file) => {
      const rules = HOUSE_RULES.filter((rule) => rule.in.test(file) && !rule.except?.test(file))
      if (rules.length === 0) return []
      const text = read(file)
      return rules.filter((rule) => rule.forbids.test(text)).map((rule) => `${file}: ${rule.name}: ${rule.why}`)
    }),
  ]
}

/** Two branches that took the same number for a migration: no server would start. */
function migrationsTwice(files: readonly string[]): string[] {
  const numbered = files.flatMap((file) => /^db\/migrations\/(\d+)_/.exec(file)?.[1] ?? [])
  return numbered
    .filter((number, i) => numbered.indexOf(number) !== i)
    .map((number) => `db/migrations/${number}: migration-number: two migrations have it: renumber the later one`)
}
