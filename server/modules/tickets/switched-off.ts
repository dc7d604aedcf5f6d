import type { Actor } from '../../kernel/access.ts'
import type { Context } from '../../kernel/operation.ts'

const deviceIdOf = (principal: string) => Number(/^device:(\d+)$/.exec(principal)?.[1] ?? 0)

/** Those of the calling ticket machines that are switched off in the console, by principal. Nothing is asked where no machine calls. */
export async function switchedOff({ tx }: Context, calls: readonly { actor: Actor }[]): Promise<Set<string>> {
  const ids = new Set(calls.flatMap(({ actor }) => (actor.role === 'kiosk' ? [deviceIdOf(actor.principal)] : [])))
  if (ids.size === 0) return new Set()
  const off = await tx.query<{ id: number }>(
    `select d.id from devices d join kiosks k on k.tenant_id = d.tenant_id and k.id = d.kiosk_id
     where d.id = any($1) and not k.is_active`,
    [[...ids]],
  )
  return new Set(off.map(({ id }) => `device:${id}`))
}
