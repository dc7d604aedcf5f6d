import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../faults/proxy.ts'
import { nginxPath } from '../security/smuggling.ts'
import type { Certificate } from './certificates.ts'

/** nginx before a server, as operators run it: TLS ends there. */
export class Nginx {
  readonly port: number
  #directory: string
  #child: ChildProcess | undefined

  private constructor(port: number, directory: string) {
    this.port = port
    this.#directory = directory
  }

  /** @throws Error where nginx is missing */
  static async start(directory: string, upstream: number, certificate: Certificate): Promise<Nginx> {
    if (!nginxPath()) throw new Error('nginx is not there: apt-get install nginx-light')
    mkdirSync(directory, { recursive: true })
    const nginx = new Nginx(await freePort(), directory)
    const at = (name: string) => join(directory, name)
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const user = process.getuid?.() === 0 ? 'user root;' : ''
    writeFileSync(
      at('nginx.conf'),
      `daemon off; ${user} worker_processes 1; pid ${at('pid')}; error_log ${at('error.log')};
events { worker_connections 1024; }
http {
  access_log off;
  ${places.map((name) => `${name}_temp_path ${at(name)};`).join('\n  ')}
  server {
    listen 127.0.0.1:${nginx.port} ssl;
    ssl_certificate ${at('site.crt')};
    ssl_certificate_key ${at('site.key')};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }
  }
}`,
    )
    nginx.use(certificate)
    await nginx.run()
    return nginx
  }

  /** Puts other files in place; who connects sees them after a reload. */
  use({ certificate, key }: Certificate): void {
    writeFileSync(join(this.#directory, 'site.crt'), certificate)
    writeFileSync(join(this.#directory, 'site.key'), key, { mode: 0o600 })
  }

  async run(): Promise<void> {
    const args = ['--pdeathsig', 'TERM', nginxPath()!, '-c', join(this.#directory, 'nginx.conf'), '-e', 'stderr']
    const child = (this.#child = spawn('setpriv', args, { stdio: 'ignore' }))
    for (let waited = 0; waited < 10_000 && child.exitCode === null; waited += 20) {
      const socket = connect(this.port, '127.0.0.1')
      const isOpen = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'close').then(() => false),
      ]).catch(() => false)
      socket.destroy()
      if (isOpen) return
      await sleep(20)
    }
    throw new Error('nginx does not start')
  }

  /** New workers with the files as they are now; the old ones finish what they have begun. */
  reload(): void {
    this.#child!.kill('SIGHUP')
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
}
