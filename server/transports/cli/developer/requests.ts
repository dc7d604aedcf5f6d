import { requestsList } from '../../../../sdk/src/index.ts'
import { print, table } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

/** Prints the newest requests by the organisation's keys, or the one of an id. */
export async function printRequests(id: string | undefined, flags: Kept & { refused?: boolean }): Promise<void> {
  const { results } = await connect(flags).client.call(requestsList, {
    limit: 50,
    ...(id !== undefined && { request_id: id }),
    ...(flags.refused && { outcome: 'refused' as const }),
  })
  if (results.length === 0) return print('nothing was asked, or nothing like it')
  print(
    table(
      results
        .toReversed()
        .map(({ at, status, method, route, operation, duration_ms, request_id }) => [
          at,
          String(status),
          `${method} ${route}`,
          operation,
          `${duration_ms} ms`,
          request_id,
        ]),
    ),
  )
}
