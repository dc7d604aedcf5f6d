import { expect, test } from 'vitest'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()
const at = (b: Branch, i = 0) => b.queues[i]!.id
const addRule = (b: Branch, condition: object, effect: object, more: object = {}) =>
  b.run('queue-rules.create', { queue_id: at(b), name: 'Rule', condition, effect, ...more })
/** A process that hears nothing reads the configuration afresh. */
const publish = (b: Branch, i = 0) => b.run('queues.publishRules', { id: at(b, i) })

test('a draft does nothing until it is published', async () => {
  const b = await lab.branch()
  await b.setQueue({ algorithm: 'priority' })
  const rule = await addRule(b, { customer_labels: ['VIP'] }, { priority: 5 })
  expect(await b.take({ labels: ['VIP'] })).toMatchObject({ priority: 0 })
  expect(await b.run('queues.ruleDiff', { id: at(b) })).toMatchObject({ version: null, added: [{ id: rule.id }] })
  expect(await publish(b)).toMatchObject({ version: 1, rules: [{ id: rule.id }] })
  expect(await b.run('queues.ruleDiff', { id: at(b) })).toEqual({ version: 1, added: [], removed: [], changed: [] })
  const plain = await b.take()
  const vip = await b.take({ labels: ['VIP'] })
  expect([plain.priority, vip.priority]).toEqual([0, 5])
  expect(vip.position).toBe(1)
  expect(await b.row(vip.id)).toMatchObject({ rule_ids: [rule.id], asked_priority: 0 })
})

test('publishing looks at those who wait anew, by class and by place', async () => {
  const b = await lab.branch()
  await b.setQueue({ algorithm: 'priority' })
  const plain = await b.take()
  const vip = await b.take({ labels: ['VIP'] })
  await addRule(b, { customer_labels: ['VIP'] }, { priority: 5 })
  await publish(b)
  expect(await b.run('queues.rerank', { id: at(b) })).toEqual({ count: 1 })
  expect(await b.line()).toEqual([vip.id, plain.id])
})

test('rolling back is a new version, and the draft', async () => {
  const b = await lab.branch()
  const first = await addRule(b, {}, { priority: 1 })
  await publish(b)
  await b.run('queue-rules.update', { id: first.id, effect: { priority: 2 } })
  await addRule(b, {}, { required_skill: 'sign' })
  expect(await b.run('queues.ruleDiff', { id: at(b) })).toMatchObject({
    added: [{ effect: { required_skill: 'sign' } }],
    changed: [{ before: { effect: { priority: 1 } }, after: { effect: { priority: 2 } } }],
  })
  await publish(b)
  expect(await b.run('queues.rollBackRules', { id: at(b), version: 1 })).toMatchObject({
    version: 3,
    rules: [{ effect: { priority: 1 } }],
  })
  expect(await b.run('queues.ruleDiff', { id: at(b) })).toEqual({ version: 3, added: [], removed: [], changed: [] })
  expect(await codeOf(b.run('queues.rollBackRules', { id: at(b), version: 3 }))).toBe('rules_in_force')
  expect(await codeOf(b.run('queues.rollBackRules', { id: at(b), version: 9 }))).toBe('not_found')
  expect(
    (await b.run('queues.ruleVersions', { id: at(b) })).results.map(({ version }: { version: number }) => version),
  ).toEqual([3, 2, 1])
})

test('refused with the reason in the own language, sent to another queue, asked for a skill, told to somebody', async () => {
  const b = await lab.branch({ queues: 2 })
  await addRule(b, { channels: ['sms'] }, { refuse: { reason: { fr: 'Pas par SMS.', en: 'Not by text.' } } })
  await addRule(b, { languages: ['ar'] }, { queue_id: at(b, 1) }, { position: 1 })
  await addRule(b, { queue_length_over: 0 }, { notify: { role: 'supervisor', message: 'Long line' } }, { position: 2 })
  await addRule(b, {}, { required_skill: 'sign' }, { position: 3 })
  await addRule(b, {}, { refuse: { reason: { fr: 'Jamais.' } } }, { position: 0, is_active: false })
  await publish(b)
  await expect(b.take({ channel: 'sms' })).rejects.toMatchObject({
    code: 'refused_by_rule',
    params: { reason: 'Not by text.' },
  })
  expect((await b.take({ language: 'ar' })).queue_id).toBe(at(b, 1))
  const first = await b.take()
  expect(await b.row(first.id)).toMatchObject({ required_skill: 'sign' })
  const second = await b.take()
  expect(await b.events(first.id)).toEqual(['ticket.created'])
  expect(await b.events(second.id)).toEqual(['ticket.created', 'rule.notified'])
})

test('who waits too long is raised once, and never lowered', async () => {
  const b = await lab.branch()
  await b.setQueue({ algorithm: 'priority' })
  const rule = await addRule(b, { wait_over_seconds: 600 }, { priority: 3 })
  await publish(b)
  const [one, urgent] = [await b.take(), await b.take({ priority: 7 })]
  await lab.owner(`update tickets set entered_at = entered_at - interval '11 minutes' where tenant_id = $1`, [
    b.tenant.id,
  ])
  const sweep = () => b.as(b.system)('tickets.applyRules')
  expect(await sweep()).toEqual({ count: 2, more: false })
  expect(await sweep()).toEqual({ count: 0, more: false })
  expect(await b.row(one.id)).toMatchObject({ priority: 3, rule_ids: [rule.id] })
  expect(await b.row(urgent.id)).toMatchObject({ priority: 7 })
  await b.run('queues.rerank', { id: at(b) })
  expect(await b.row(one.id)).toMatchObject({ priority: 3 })
  await b.run('queue-rules.update', { id: rule.id, effect: { required_skill: 'x' } })
  await expect(publish(b)).rejects.toMatchObject({ fields: [{ code: 'not_while_waiting' }] })
})

test('agents read rule sets, managers publish, and a foreign queue is a missing one', async () => {
  const b = await lab.branch()
  const other = await lab.branch()
  const agent = b.as(b.agentActors[0]!)
  expect(await agent('queues.ruleVersions', { id: at(b) })).toEqual({ results: [] })
  expect(await codeOf(agent('queues.publishRules', { id: at(b) }))).toBe('forbidden')
  for (const op of ['queues.ruleVersions', 'queues.ruleDiff', 'queues.publishRules', 'queues.rerank'])
    expect(await codeOf(b.run(op, { id: at(other) }))).toBe('not_found')
})
