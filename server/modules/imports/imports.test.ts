import { zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { startApp } from '../../test/app.ts'
import { caller } from '../../test/runtime.ts'
import { operationById } from '../index.ts'
import { operations as sites } from '../sites/index.ts'
import { xlsx } from '../analytics/exports/formats/xlsx.ts'
import { jobs, operations } from './index.ts'

const site = await startApp()
const { tenant, admin, supervisor, queues } = await site.aTenant({ locale: 'fr' })
const { owner, runtime } = site
const run = caller(runtime, [...operations, ...sites])(admin, tenant)
const work = jobs.find(({ name }) => name === 'imports.work')!
const context = { runtime, tenants: async () => [tenant] }
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')
const act = (id: number, what: string) => work.run(context, { tenant_id: tenant.id, import_id: id, act: what })

/** Brings a file and has it tried. */
async function brought(kind: string, text: string | Uint8Array, more: Record<string, unknown> = {}) {
  const { id } = await run('imports.create', { kind, format: 'csv', content: base64(text), ...more })
  await act(id, 'check')
  return { id, state: await run('imports.get', { id }), rows: (await run('imports.rows', { id })).results as any[] }
}
const count = async (table: string) =>
  (await owner<{ n: number }>(`select count(*)::int as n from ${table} where tenant_id = $1`, [tenant.id]))[0]!.n

test('customers: tried without effect, shown with what is wrong, brought once, taken back', async () => {
  const csv = [
    '\ufeffname;phone;email;external_id;locale;consents.sms',
    'Samira Haddad;+33612345678;SAMIRA@example.org;k1;fr;oui',
    'Zoé Martin;;zoe@example.org;k2;;non',
    'Nobody;12;not an address;k3;de;',
    'Twice;;;k1;;',
    '',
  ].join('\r\n')
  const before = await count('customers')
  const { id, state, rows } = await brought('customers', csv)
  expect(state).toMatchObject({ status: 'checked', rows_total: 4, rows: { valid: 2, invalid: 2 } })
  expect(await count('customers')).toBe(before)
  expect(await owner(`select from events where tenant_id = $1 and type = 'customer.created'`, [tenant.id])).toEqual([])
  expect(rows[0].input).toEqual({
    name: 'Samira Haddad',
    phone: '+33612345678',
    email: 'SAMIRA@example.org',
    external_id: 'k1',
    locale: 'fr',
    consents: { sms: true },
  })
  expect(rows[2].errors.map(({ path }: { path: string }) => path)).toEqual(
    expect.arrayContaining(['/phone', '/email', '/locale']),
  )
  expect(rows[3].errors).toEqual([{ path: '/external_id', code: 'duplicate', message: 'This appears twice.' }])
  // In the language of whoever reads.
  const op = operations.find((each) => each.id === 'imports.rows')!
  const { output } = await runtime.execute(op, { actor: admin, tenant, locale: 'ar', input: { id, status: 'invalid' } })
  expect((output as any).results[1].errors[0].message).toMatch(/[\u0600-\u06ff]/)

  await run('imports.run', { id })
  // The worker dies after some rows and the job is tried again: each row has its effect once.
  await Promise.allSettled([act(id, 'run'), act(id, 'run')])
  await act(id, 'run')
  expect(await run('imports.get', { id })).toMatchObject({ status: 'done', rows: { done: 2, invalid: 2 } })
  expect(await count('customers')).toBe(before + 2)
  const [made] = await owner(`select email, consents from customers where tenant_id = $1 and external_id = 'k1'`, [
    tenant.id,
  ])
  expect(made).toEqual({ email: 'samira@example.org', consents: { sms: true } })
  await expect(run('imports.run', { id })).rejects.toMatchObject({ code: 'import_state' })

  await run('imports.undo', { id })
  await act(id, 'undo')
  expect(await run('imports.get', { id })).toMatchObject({ status: 'undone', rows: { undone: 2 } })
  expect(await count('customers')).toBe(before)
})

test('services and sites, of a workbook and with other names; what is in use is kept and says why', async () => {
  const file = xlsx(
    [
      { name: 'Libellé', type: 'text' },
      { name: 'code', type: 'text' },
      { name: 'expected_duration_seconds', type: 'integer' },
      { name: 'Remarque', type: 'text' },
    ],
    { title: 'Services', isRtl: false },
  )
  const bytes = Buffer.concat([
    ...file.rows([
      { Libellé: 'Passeports', code: 'PP', expected_duration_seconds: 600, Remarque: 'x' },
      { Libellé: 'État civil', code: 'EC', expected_duration_seconds: 300, Remarque: null },
    ]),
    ...file.end(),
  ])
  const { id, state } = await brought('services', bytes, { format: 'xlsx', mapping: { Libellé: 'name', Remarque: '' } })
  expect(state.rows).toMatchObject({ valid: 2 })
  await run('imports.run', { id })
  await act(id, 'run')
  const [used] = (await run('imports.rows', { id })).results
  await owner(
    `insert into queues (tenant_id, site_id, service_id, name) select $1, site_id, $2, 'Q' from queues where id = $3`,
    [tenant.id, used.target_id, queues[0]!.id],
  )
  await run('imports.undo', { id })
  await act(id, 'undo')
  const after = (await run('imports.rows', { id })).results
  expect(after.map(({ status }: { status: string }) => status)).toEqual(['kept', 'undone'])
  expect(after[0].errors[0].code).toBe('in_use')

  const places = await brought(
    'sites',
    'name,address,timezone,latitude\nMairie,1 place,Europe/Paris,48.85\nNulle part,,Nowhere/Land,\n',
  )
  expect(places.rows.map(({ status }) => status)).toEqual(['valid', 'invalid'])
  await run('imports.run', { id: places.id })
  await act(places.id, 'run')
  // A site made so can be worked with: it has its stream.
  const [{ target_id }] = (await run('imports.rows', { id: places.id, status: 'done' })).results
  expect(await owner('select from streams where site_id = $1', [target_id])).toHaveLength(1)
})

test('users and appointments', async () => {
  const people = await brought(
    'users',
    'email,name,role\nnadia@example.org,Nadia,agent\nboss@example.org,Boss,emperor\n',
  )
  expect(people.rows.map(({ status }) => status)).toEqual(['valid', 'invalid'])
  await run('imports.run', { id: people.id })
  await act(people.id, 'run')
  expect(
    await owner(
      `select role from memberships m join users u on u.id = m.user_id where m.tenant_id = $1 and u.email = 'nadia@example.org'`,
      [tenant.id],
    ),
  ).toEqual([{ role: 'agent' }])

  const queue_id = queues[0]!.id
  const setting = operationById.get('booking-settings.create')!
  await runtime.execute(setting, {
    actor: admin,
    tenant,
    locale: 'fr',
    input: { ...(setting.example.input as object), queue_id },
  })
  const [{ at, past } = { at: '', past: '' }] = await owner<{ at: string; past: string }>(
    `select date_trunc('hour', now() + interval '30 hours') as at, now() - interval '1 day' as past`,
  )
  const booked = await brought(
    'appointments',
    `queue_id,start_at,customer.name,customer.phone\n${queue_id},${at},Zoé,+33612345679\n${queue_id},${past},Late,\n`,
  )
  expect(booked.rows.map(({ status }) => status)).toEqual(['valid', 'invalid'])
  await run('imports.run', { id: booked.id })
  await act(booked.id, 'run')
  const [row] = (await run('imports.rows', { id: booked.id, status: 'done' })).results
  expect(await owner('select status from appointments where id = $1', [row.target_id])).toEqual([{ status: 'booked' }])
  await run('imports.undo', { id: booked.id })
  await act(booked.id, 'undo')
  expect(await owner('select status from appointments where id = $1', [row.target_id])).toEqual([
    { status: 'cancelled' },
  ])
})

test('a workbook that unfolds to far more than it is, is refused before it does', async () => {
  const sheet = new Uint8Array(80_000_000).fill(32)
  const bomb = zipSync({ 'xl/worksheets/sheet1.xml': [sheet, { level: 9 }] })
  expect(bomb.length).toBeLessThan(300_000)
  // Who unfolds it first finds that it is no workbook.
  const bringing = run('imports.create', { kind: 'customers', format: 'xlsx', content: base64(bomb) })
  await expect(bringing).rejects.toMatchObject({ code: 'payload_too_large' })
})

test('whoever may not make such things brings none, and a file that is none is refused', async () => {
  const asSupervisor = caller(runtime, operations)(supervisor, tenant)
  await expect(
    asSupervisor('imports.create', { kind: 'sites', format: 'csv', content: base64('name\nX\n') }),
  ).rejects.toMatchObject({ code: 'forbidden' })
  const bring = (text: string | Uint8Array, format = 'csv') =>
    run('imports.create', { kind: 'customers', format, content: base64(text) })
  await expect(bring(Buffer.from([0xff, 0xfe, 0x00, 0x80]))).rejects.toMatchObject({ code: 'import_unreadable' })
  await expect(bring('PK no workbook', 'xlsx')).rejects.toMatchObject({ code: 'import_unreadable' })
  await expect(bring(`name\n${'x\n'.repeat(5001)}`)).rejects.toMatchObject({ code: 'import_too_long' })
  await expect(bring('name,password_hash\nx,y\n')).rejects.toMatchObject({
    code: 'invalid_input',
    fields: [{ path: '/content/password_hash', code: 'unknown' }],
  })
  // Rights that were taken away meanwhile bring nothing.
  const { id } = await run('imports.create', { kind: 'customers', format: 'csv', content: base64('name\nGhost\n') })
  await act(id, 'check')
  await run('imports.run', { id })
  await owner(`update memberships set role = 'agent' where user_id = $1 and tenant_id = $2`, [admin.userId, tenant.id])
  await act(id, 'run')
  await owner(`update memberships set role = 'admin' where user_id = $1 and tenant_id = $2`, [admin.userId, tenant.id])
  expect(await owner(`select from customers where name = 'Ghost'`)).toEqual([])
})

test('a file larger than other requests may be comes in over HTTP', async () => {
  const base = await site.listen()
  const content = base64(
    `name,note\n${Array.from({ length: 3000 }, (_, n) => `Person ${n},${'x'.repeat(40)}`).join('\n')}\n`,
  )
  expect(content.length).toBeGreaterThan(100_000)
  const answer = await fetch(`${base}/api/v1/tenants/${tenant.slug}/imports/`, {
    method: 'POST',
    headers: { ...site.as(admin), 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'customers', format: 'csv', content }),
  })
  expect(answer.status).toBe(202)
  expect(await answer.json()).toMatchObject({ rows_total: 3000, rows: { new: 3000 } })
})
