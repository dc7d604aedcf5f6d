import { readFileSync } from 'node:fs'
import { buildSchema, findBreakingChanges } from 'graphql'

/** What clients have been promised: the schema of the last release. `npm run generate -- --release` renews it. */
export const RELEASED_SCHEMA = 'docs/schema.released.graphql'

/** What a client of the released schema could no longer do, one line each. */
export function brokenGraphqlPromises(
  present = readFileSync('docs/schema.graphql', 'utf8'),
  released = readFileSync(RELEASED_SCHEMA, 'utf8'),
): string[] {
  return findBreakingChanges(buildSchema(released), buildSchema(present)).map(
    ({ description }) => `${description} Keep it beside the new one, or release a new version.`,
  )
}
