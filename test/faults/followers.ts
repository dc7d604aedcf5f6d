import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { applyEvent, type Board, type LiveEvent } from '../../shared/board.ts'
import { LiveClient } from '../../shared/live-client.ts'
import type { Heard } from './judge.ts'

export interface FollowOptions {
  /** WebSocket address of the feed, asked anew for every connection. */
  url(): string
  token: string
  /** Every frame as it arrives. */
  onFrame?(frame: { type: string; at?: string }): void
  /** Close code and reason of every connection. */
  onClose?(code: number, reason: string): void
}

/** Somebody who follows a queue's feed through whatever lies between. */
export interface Follower {
  heard: Heard
  view(): Board | null
  close(): void
}

/** The client that screens use, with everything noted that reaches it. */
export function follow({ url, token, onFrame, onClose }: FollowOptions): Follower {
  const heard: Heard = { connections: 0, frames: [] }
  class NotedSocket extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols)
      this.on('open', () => heard.connections++)
      this.on('message', (data) => {
        const frame = JSON.parse(String(data)) as Heard['frames'][number]
        heard.frames.push(frame)
        onFrame?.(frame)
      })
      this.on('close', (code, reason) => onClose?.(code, String(reason)))
    }
  }
  const client = new LiveClient<Board, LiveEvent>({
    address: () => ({ url: url(), protocols: ['smartqueue.v1', `bearer.${token}`] }),
    WebSocket: NotedSocket,
    reduce: applyEvent,
    minDelaySeconds: 0.005,
    maxDelaySeconds: 0.05,
  })
  return { heard, view: () => client.view, close: () => client.close() }
}

/** The control: comes back too, but takes what is pushed for all there is. */
export function followNaively({ url, token }: FollowOptions): Follower {
  const heard: Heard = { connections: 0, frames: [] }
  let isOver = false
  let socket: WebSocket | undefined
  void (async () => {
    while (!isOver) {
      socket = new WebSocket(url(), ['smartqueue.v1', `bearer.${token}`])
      socket.on('open', () => heard.connections++)
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data)) as Heard['frames'][number]
        if (frame.type !== 'snapshot' || heard.frames.length === 0) heard.frames.push(frame)
      })
      socket.on('error', () => {})
      await new Promise((resolve) => socket!.once('close', resolve))
      await sleep(25 + Math.random() * 25)
    }
  })()
  return {
    heard,
    view: () => null,
    close() {
      isOver = true
      socket?.terminate()
    },
  }
}
