import { createHash } from 'node:crypto'
import { AppError } from './errors.ts'
import type { Operation } from './operation.ts'
import { stringifyOutput } from './validate.ts'

/** Strong validator of an answer: the first 131 bits of SHA-256 over the exact body that is sent. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
}

/** Does an If-None-Match or If-Match header name this tag? Weak tags never do: a write needs the exact bytes. */
export function matchesEtag(header: string, etag: string): boolean {
  return header.split(',').some((candidate) => candidate.trim() === '*' || candidate.trim() === etag)
}

/**
 * Refuses a write whose caller read another version of `row`. Call it with the row locked.
 * @param read operation whose answer carried the tag
 * @throws AppError precondition_failed `etag_mismatch`
 */
export function checkIfMatch(ifMatch: string | null, read: Operation, row: unknown): void {
  if (ifMatch !== null && !matchesEtag(ifMatch, etagOf(stringifyOutput(read, row)))) {
    throw new AppError('precondition_failed', 'etag_mismatch')
  }
}
