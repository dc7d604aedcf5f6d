import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/harness.ts'
import { deliver, useMail } from './index.ts'

const { db, owner } = await testDatabase()
const mail = {
  to: 'zoe@example.org',
  subject: 'Réinitialisation – مرحبا',
  text: 'Ouvrez https://example.org/#abc\nÀ bientôt',
}
afterEach(() => useMail({ smtpUrl: undefined, from: '' }))

test('a message reaches the SMTP server once, for one recipient, as plain text', async () => {
  const received: { to: string[]; from: string; data: string }[] = []
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, session, done) {
      let data = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => (data += chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({ data, to: rcptTo.map(({ address }) => address), from: mailFrom ? mailFrom.address : '' })
        done()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  useMail({
    smtpUrl: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    from: 'SmartQueue <queue@example.org>',
  })
  await deliver(db, mail)
  expect(received).toHaveLength(1)
  expect(received[0]).toMatchObject({ to: [mail.to], from: 'queue@example.org' })
  expect(received[0]!.data).toMatch(/Content-Type: text\/plain; charset=utf-8/i)
  // An address is one address, whatever signs are in it.
  await expect(deliver(db, { ...mail, to: 'a@example.org, b@evil.example\r\nBcc: c@evil.example' })).rejects.toThrow(
    /recipient/i,
  )
  expect(received).toHaveLength(1)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  await expect(deliver(db, mail)).rejects.toThrow(/ECONNREFUSED|closed|connect/i)
  expect(await owner('select from outbox_messages')).toEqual([])
})

test('without a server it waits in the outbox', async () => {
  await deliver(db, mail)
  expect(await owner('select recipient, subject, body from outbox_messages')).toEqual([
    { recipient: mail.to, subject: mail.subject, body: mail.text },
  ])
})
