import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { once } from 'node:events'

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })

export interface Certificate {
  certificate: string
  key: string
}

/** An authority of the run's own, whose certificates are good for this machine and a day. */
export class Authority {
  /** File of its certificate. */
  readonly file: string
  #directory: string
  #name: string
  #serial = 0

  constructor(directory: string, name: string) {
    this.#directory = directory
    this.#name = name
    this.file = join(directory, `${name}.crt`)
    openssl('req', '-x509', ...KEY, '-keyout', this.#at('key'), '-out', this.file, '-subj', `/CN=${name}`, '-days', '1')
  }

  /** Another one each time. */
  issue(): Certificate {
    const [key, request, extensions, file] = ['leaf.key', 'leaf.csr', 'leaf.ext', 'leaf.crt'].map((each) =>
      this.#at(each),
    ) as [string, string, string, string]
    writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    openssl('req', ...KEY, '-keyout', key, '-out', request, '-subj', '/CN=localhost')
    const signed = ['-CA', this.file, '-CAkey', this.#at('key'), '-set_serial', String(++this.#serial)]
    openssl('x509', '-req', '-in', request, ...signed, '-days', '1', '-extfile', extensions, '-out', file)
    return { certificate: readFileSync(file, 'utf8'), key: readFileSync(key, 'utf8') }
  }

  #at(name: string) {
    return join(this.#directory, `${this.#name}-${name}`)
  }
}

/** Serial number of the certificate that a server shows to whoever connects now. */
export async function serialShown(port: number, protocol: 'https' | 'postgresql'): Promise<number> {
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  if (protocol === 'postgresql') {
    // SSLRequest; the answer is one letter, and TLS follows.
    socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (String(answer) !== 'S') throw new Error(`PostgreSQL speaks no TLS: ${answer}`)
  }
  const tls: TLSSocket = connectTls({ socket, rejectUnauthorized: false })
  await once(tls, 'secureConnect')
  const { serialNumber } = tls.getPeerCertificate()
  tls.destroy()
  return parseInt(serialNumber, 16)
}
