import type { Socket } from './live-client.ts'

/**
 * A feed over Server-Sent Events in the shape of a WebSocket, for networks that break those. Takes the same address and
 * protocols: `/ws/…` becomes `/sse/…`, the bearer token a header. Uses `fetch`, so it runs in browsers and Node, and its
 * requests can carry a header, which an EventSource's cannot.
 */
export class EventStreamSocket implements Socket {
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onerror: Socket['onerror'] = null
  onclose: Socket['onclose'] = null
  #ending = new AbortController()
  #isOver = false

  constructor(url: string, protocols: string[] = []) {
    const address = new URL(url)
    address.protocol = address.protocol === 'wss:' ? 'https:' : 'http:'
    address.pathname = address.pathname.replace(/^\/ws\//, '/sse/')
    const token = protocols.find((each) => each.startsWith('bearer.'))?.slice('bearer.'.length)
    // Handlers are set after the constructor.
    queueMicrotask(() => void this.#read(address.href, token))
  }

  close(): void {
    this.#ending.abort()
    this.#end(1000, '')
  }

  async #read(url: string, token: string | undefined) {
    try {
      const answer = await fetch(url, {
        headers: { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) },
        signal: this.#ending.signal,
        cache: 'no-store',
      })
      if (!answer.ok || !answer.body) return this.#end(4000 + answer.status, answer.statusText)
      if (!this.#isOver) this.onopen?.({})
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      let rest = ''
      for (;;) {
        const { value, done } = await reader.read()
        if (done || this.#isOver) break
        const blocks = (rest + value).split('\n\n')
        rest = blocks.pop()!
        for (const block of blocks) this.#take(block)
      }
      this.#end(1006, '')
    } catch (error) {
      if (!this.#isOver) this.onerror?.(error)
      this.#end(1006, '')
    }
  }

  #take(block: string) {
    const data = block
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => line.slice('data: '.length))
      .join('\n')
    if (data === '' || this.#isOver) return
    // The server's last word stands for a close code.
    if (data.startsWith('{"type":"close"')) {
      const { code, reason } = JSON.parse(data) as { code: number; reason: string }
      this.#ending.abort()
      return this.#end(code, reason)
    }
    this.onmessage?.({ data })
  }

  #end(code: number, reason: string) {
    if (this.#isOver) return
    this.#isOver = true
    this.onclose?.({ code, reason })
  }
}
