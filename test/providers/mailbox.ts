import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

// Debian's own: another Python on the path does not see its packages.
const PYTHON = '/usr/bin/python3'
/** Debian's python3-aiosmtpd is there. */
export const hasMailServer = spawnSync(PYTHON, ['-c', 'import aiosmtpd']).status === 0

interface ReadMail {
  to: string
  from: string
  subject: string
  text: string
  id: string
}
export interface Mailbox {
  /** `smtp://127.0.0.1:<port>` */
  url: string
  /** Every message in the box, in any order, as a mail program decodes it. */
  read(): ReadMail[]
  close(): Promise<void>
}

const READ = `
import email, email.policy, json, mailbox, sys
box = mailbox.Maildir(sys.argv[1], factory=lambda f: email.message_from_binary_file(f, policy=email.policy.default))
print(json.dumps([{
  'to': str(m['To']), 'from': str(m['From']), 'subject': str(m['Subject']), 'id': str(m['Message-ID']),
  'text': m.get_body(('plain',)).get_content().strip()} for m in box]))`

/** A mail server in a process of its own that puts what it is given into a Maildir, and whoever reads it. */
export async function mailbox(): Promise<Mailbox> {
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-mail-'))
  const box = join(directory, 'box')
  const port = randomInt(20_000, 32_000)
  const server = spawn(
    PYTHON,
    ['-m', 'aiosmtpd', '-n', '-l', `127.0.0.1:${port}`, '-c', 'aiosmtpd.handlers.Mailbox', box],
    { stdio: 'ignore' },
  )
  while (!(await answers(port))) {
    if (server.exitCode !== null) throw new Error('the mail server did not start')
    await sleep(50)
  }
  return {
    url: `smtp://127.0.0.1:${port}`,
    read: () => JSON.parse(execFileSync(PYTHON, ['-c', READ, box]).toString()) as ReadMail[],
    async close() {
      server.kill()
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
