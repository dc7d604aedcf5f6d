import { connect, type Socket } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')

/** One keep-alive connection with one request in flight; `ask` resolves with the status code once the whole answer is there. */
export class Connection {
  #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #settle: ((status: number, answer: Buffer) => void) | undefined
  #expected = -1
  #status = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk as Buffer))
    socket.on('error', () => this.#settle?.(0, this.#received))
    socket.on('close', () => this.#settle?.(0, this.#received))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)))
      socket.once('error', reject)
    })
  }

  ask(request: string, settle: (status: number, answer: Buffer) => void) {
    this.#settle = settle
    this.#socket.write(request)
  }

  close() {
    this.#settle = undefined
    this.#socket.destroy()
  }

  #onData(chunk: Buffer) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    if (this.#expected < 0) {
      const end = this.#received.indexOf(HEAD_END)
      if (end < 0) return
      const head = this.#received.toString('latin1', 0, end)
      this.#status = Number(head.slice(9, 12))
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
      this.#expected = end + 4 + (this.#status === 304 || this.#status === 204 ? 0 : Number(length))
      if (Number.isNaN(this.#expected)) throw new Error('an answer without Content-Length')
    }
    if (this.#received.length < this.#expected) return
    const [settle, answer] = [this.#settle!, this.#received]
    this.#settle = undefined
    this.#received = Buffer.alloc(0)
    this.#expected = -1
    settle(this.#status, answer)
  }
}
