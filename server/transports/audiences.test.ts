import { get } from 'node:http'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { startApp } from '../test/app.ts'

const server = await startApp()
const { app, owner, aTenant, as, tokenOf } = server
const base = await server.listen()
const t = await aTenant({ slug: 'live', queues: 2, agents: 1 })

/** What nobody but staff may read: told at the counter, typed at the kiosk, known of colleagues. */
const CANARIES = {
  name: 'Zébulon Canari',
  phone: '+33611223344',
  email: 'zebulon@canari.example',
  note: 'canary-note',
  label: 'canary-label',
  need: 'canary-need',
  agent: 'Canary Agent',
}
const post = async (url: string, payload: object = {}) => {
  const answer = await app.inject({ method: 'POST', url: `/api/v1/tenants/live${url}`, headers: as(t.admin), payload })
  expect(answer.statusCode, `${url} ${answer.body}`).toBeLessThan(300)
  return answer.json<any>()
}

test('nothing personal stands in any frame of a display or of another visitor, over either transport', async () => {
  await owner('update agents set name = $1 where id = $2', [CANARIES.agent, t.agents[0]!.id])
  const [display] = await owner<{ id: number }>(
    `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
    [t.tenant.id, t.sites[0]!.id],
  )
  const [queue, second] = t.queues
  const bystander = await post('/tickets/', { queue_id: queue!.id, channel: 'reception' })
  const frames: Record<string, string[]> = {}
  const sockets: { close(): void }[] = []
  const follow = async (name: string, path: string, token?: string) => {
    const heard: string[] = (frames[`${name} ws`] = [])
    const protocols = token ? ['smartqueue.v1', `bearer.${token}`] : ['smartqueue.v1']
    const socket = new WebSocket(base.replace('http', 'ws') + `/ws${path}`, protocols)
    socket.on('message', (data) => heard.push(String(data)))
    const streamed: string[] = (frames[`${name} sse`] = [])
    const request = get(
      `${base}/sse${path}`,
      { headers: token ? { authorization: `Bearer ${token}` } : {} },
      (answer) => answer.setEncoding('utf8').on('data', (text: string) => streamed.push(text)),
    )
    request.on('error', () => {})
    sockets.push(socket, { close: () => request.destroy() })
    await expect.poll(() => [heard.length > 0, streamed.join('').includes('snapshot')]).toEqual([true, true])
  }
  await follow('display', `/tenants/live/displays/${display!.id}/`, tokenOf(t.display))
  await follow('visitor', `/tickets/${bystander.public_token}/`)
  await follow('staff', `/tenants/live/queues/${queue!.id}/`, tokenOf(t.admin))

  const { name, phone, email, note, label, need } = CANARIES
  const ticket = await post('/tickets/', {
    queue_id: queue!.id,
    channel: 'reception',
    customer: { name, phone, email },
    labels: [label],
    needs: [need],
    language: 'ar',
    priority: 3,
  })
  await app.inject({
    method: 'PATCH',
    url: `/api/v1/tenants/live/tickets/${ticket.id}/`,
    headers: as(t.admin),
    payload: { note },
  })
  await post(`/tickets/${ticket.id}/call/`, { agent_id: t.agents[0]!.id })
  await post(`/tickets/${ticket.id}/start/`)
  await post(`/tickets/${ticket.id}/transfer/`, { queue_id: second!.id })
  await post(`/tickets/${ticket.id}/transfer/`, { queue_id: queue!.id })
  await post(`/tickets/${ticket.id}/call/`, { agent_id: t.agents[0]!.id })
  await post(`/tickets/${ticket.id}/start/`)
  await post(`/tickets/${ticket.id}/complete/`)
  await post(`/agents/${t.agents[0]!.id}/set-status/`, { status: 'break', reason: 'canary-reason' })
  // Whoever comes now sees it all in the snapshot.
  await follow('late display', `/tenants/live/displays/${display!.id}/`, tokenOf(t.display))
  await expect.poll(() => frames['display ws']!.some((frame) => frame.includes('agent.status_changed'))).toBe(true)

  // Control: staff see what is theirs, so the canaries were there to be found.
  const staff = frames['staff ws']!.join()
  for (const canary of [label, need, CANARIES.agent, `"customer_id":${ticket.customer_id}`])
    expect(staff).toContain(canary)
  for (const [audience, heard] of Object.entries(frames)) {
    if (audience.startsWith('staff')) continue
    const all = heard.join()
    for (const canary of [...Object.values(CANARIES), 'canary-reason', `"customer_id":${ticket.customer_id}`])
      expect(all, audience).not.toContain(canary)
    // Nor who the others are, to a visitor.
    if (audience.startsWith('visitor')) expect(all).not.toContain(`"number":"${ticket.number}"`)
  }
  for (const socket of sockets) socket.close()
})
