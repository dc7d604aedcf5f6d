import { expect, test } from 'vitest'
import { operations } from './index.ts'
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
