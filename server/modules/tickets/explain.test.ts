import { expect, test } from 'vitest'
import { operations, visitorOf } from './index.ts'
import { aLab, codeOf } from './test/branch.ts'

const lab = await aLab()
const explain = operations.find(({ id }) => id === 'tickets.explain')!

test('says in the caller’s language why a ticket stands where it stands, and who goes first and why', async () => {
  const b = await lab.branch({ agents: 2 })
  await b.setQueue({ algorithm: 'priority' })
  const [me, moved, urgent, after] = [await b.take(), await b.take(), await b.take({ priority: 5 }), await b.take()]
  await b.run('tickets.move', { id: moved!.id, after_id: null, reason: 'pregnant' })
  const called = (await b.callNext())!
  expect(called.id).toBe(moved!.id)
  const say = async (locale: 'fr' | 'en' | 'ar') => {
    const request = { actor: b.supervisor, tenant: b.tenant, locale, input: { id: me!.id } }
    return (await lab.runtime.execute(explain, request)).output as any
  }
  const english = await say('en')
  expect(english).toMatchObject({
    position: 2,
    text: '1 person goes first.',
    reasons: [{ code: 'order_priority' }],
    overtaken_by: [
      { ticket_id: moved!.id, is_called: true, code: 'placed' },
      {
        ticket_id: urgent!.id,
        is_called: false,
        code: 'class',
        text: `${urgent!.number} came later but is of class 5, which is more urgent.`,
      },
    ],
  })
  expect(english.overtaken_by.map(({ ticket_id }: { ticket_id: number }) => ticket_id)).not.toContain(after!.id)
  expect((await say('fr')).text).toBe('1 personne passe avant.')
  expect((await say('ar')).text).toBe('شخص واحد قبله.')
  for (const { text } of (await say('ar')).overtaken_by) expect(text).toMatch(/[\u0600-\u06ff]/)
})

test('names the rule that took effect, and nothing for who does not wait', async () => {
  const b = await lab.branch()
  await b.run('queue-rules.create', {
    queue_id: b.queues[0]!.id,
    name: 'VIP first',
    condition: { customer_labels: ['VIP'] },
    effect: { priority: 3 },
  })
  await b.run('queues.publishRules', { id: b.queues[0]!.id })
  const vip = await b.take({ labels: ['VIP'] })
  const { reasons } = await b.run('tickets.explain', { id: vip.id })
  expect(reasons.map(({ code }: { code: string }) => code)).toEqual(['order_fifo', 'class', 'rule'])
  expect(reasons.at(-1).text).toContain('VIP first')
  await b.run('tickets.cancel', { id: vip.id })
  expect(await b.run('tickets.explain', { id: vip.id })).toMatchObject({
    position: null,
    reasons: [],
    overtaken_by: [],
  })
  expect(await codeOf(b.run('tickets.explain', { id: 999_999_999 }))).toBe('not_found')
})

test('tells the visitor how many go first and why, and nothing that would tell who they are', async () => {
  const b = await lab.branch({ agents: 2 })
  await b.setQueue({ algorithm: 'priority' })
  for (const effect of [{ priority: 7 }, { required_skill: 'secret' }]) {
    await b.run('queue-rules.create', {
      queue_id: b.queues[0]!.id,
      name: 'Secret rule',
      condition: { customer_labels: ['VIP'] },
      effect,
    })
  }
  await b.run('queues.publishRules', { id: b.queues[0]!.id })
  const me = await b.take()
  const moved = await b.take({ customer: { name: 'Samira Haddad' } })
  await b.take({ priority: 5 })
  const vip = await b.take({ priority: 5, labels: ['VIP'] })
  await b.run('tickets.move', { id: moved.id, after_id: null, reason: 'pregnant' })
  await b.callNext()
  const mine = operations.find(({ id }) => id === 'tickets.explainMine')!
  const say = async (token: string, locale: 'fr' | 'en' | 'ar') => {
    const actor = (await visitorOf(lab.db, token))!
    return (await lab.runtime.execute(mine, { actor, tenant: b.tenant, locale, input: {} })).output as any
  }
  const english = await say(me.public_token, 'en')
  expect(english).toEqual({
    position: 3,
    text: '2 people go before you.',
    reasons: [{ code: 'order_priority', text: 'The most urgent class goes first, then the order of arrival.' }],
    overtaken_by: [
      {
        code: 'class',
        count: 2,
        text: '2 people who came after you go first: their requests are more urgent.',
      },
      { code: 'placed', count: 1, text: '1 person who came after you was put first by the staff.' },
    ],
  })
  const theirs = await say(vip.public_token, 'en')
  expect(theirs.reasons.map(({ code }: { code: string }) => code)).toEqual(['order_priority', 'class', 'rule', 'skill'])
  for (const told of [english, theirs]) expect(JSON.stringify(told)).not.toMatch(/Secret|secret|Samira|pregnant|A\d\d/)
  // Control: what staff read names the rule.
  expect(JSON.stringify(await b.run('tickets.explain', { id: vip.id }))).toContain('Secret rule')
  const arabic = await say(me.public_token, 'ar')
  for (const { text } of [arabic, ...arabic.reasons, ...arabic.overtaken_by]) expect(text).toMatch(/[\u0600-\u06ff]/)
  expect((await say(me.public_token, 'fr')).text).toBe('2 personnes passent avant vous.')
  await b.run('tickets.cancel', { id: me.id })
  expect(await say(me.public_token, 'en')).toMatchObject({ position: null, reasons: [], overtaken_by: [] })
})
