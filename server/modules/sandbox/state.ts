import Type, { type Static } from 'typebox'
import { ADMINS } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Nullable, Slug, Time } from '../../kernel/schema.ts'

/** What is known of an organisation as a sandbox, or of the one it has. */
export const SandboxState = Closed({
  is_sandbox: Type.Boolean(),
  ahead_seconds: Type.Integer({ minimum: 0, description: 'How far its clock is ahead of everybody’s' }),
  /** By its clock. */
  now: Time,
  sandbox: Nullable(Slug),
})
type SandboxState = Static<typeof SandboxState>
export const shared = { scope: 'admin:tenant', roles: ADMINS } as const

/** Slug of the sandbox of an organisation. */
export const sandboxSlug = (slug: string): string => `${slug.slice(0, 55).replace(/-+$/, '')}-sandbox`

const STATE = `
  select t.is_sandbox, coalesce(c.ahead_seconds, 0) as ahead_seconds,
    now() + make_interval(secs => coalesce(c.ahead_seconds, 0)) as now,
    (select s.slug from tenants s where s.slug = $2 and s.is_sandbox and s.is_active) as sandbox
  from tenants t left join sandbox_clocks c on c.tenant_id = t.id where t.id = $1`
export const stateOf = ({ tx, tenant }: Context): Promise<SandboxState> =>
  tx.one<SandboxState>(STATE, [tenant.id, sandboxSlug(tenant.slug)])

/** @throws AppError conflict `no_sandbox` where people would see it */
export async function checkSandbox({ tx, tenant }: Context): Promise<void> {
  const { is_sandbox } = await tx.one<{ is_sandbox: boolean }>('select is_sandbox from tenants where id = $1', [
    tenant.id,
  ])
  if (!is_sandbox) throw conflict('no_sandbox')
}

export const get = operation({
  ...shared,
  id: 'sandbox.get',
  kind: 'query',
  summary: 'Is this a sandbox, what time is it there, and which one does the organisation have?',
  http: { method: 'GET', path: '/sandbox/' },
  input: Closed({}),
  output: SandboxState,
  example: { input: {} },
  run: stateOf,
})
