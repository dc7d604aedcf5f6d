import { hashSync } from '@node-rs/argon2'

/**
 * Argon2id as the product's, at the least cost there is: tests sign in by the hundred, and the process that hashes in
 * earnest gives way to everything else on a busy machine.
 */
export const quickHash = (password: string): string =>
  hashSync(password.normalize('NFKC'), { memoryCost: 8, timeCost: 1, parallelism: 1 })
