import type { Language } from '../../../shared/format.ts'
import { newKey } from '../../data/api.ts'
import type { TicketsReserveNumbers } from '../../data/operations.ts'
import { change, kept } from './kept.ts'

type Block = TicketsReserveNumbers['blocks'][number]
/** A number that was given without a network and that the server has not heard of. */
export interface Given {
  key: string
  block_id: number
  serial: number
  taken_at: string
  token_hash: string
  language: Language
  /** Key of the ticket that was asked for just before and whose answer did not come. */
  instead_of?: string
}
interface Store {
  blocks: Block[]
  /** By block: how many of its numbers are given. */
  used: Record<number, number>
  given: Given[]
  /** Address of a visitor's page, but for its secret. */
  url: string
  /** What the server's clock is ahead of this one. */
  aheadMs: number
}
export interface OfflineNumber {
  number: string
  takenAt: string
  url: string
  /** Two letters that open the visitor's page with the number (server/modules/tickets/visit/check.ts). */
  check: string
}
const KEY = 'numbers'
const EMPTY: Store = { blocks: [], used: {}, given: [], url: '', aheadMs: 0 }

const SIGNS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SECRET_LENGTH = 22

/** 22 base62 characters, as the server makes them: bytes that would favour the first characters are thrown away. */
function newSecret(): string {
  let text = ''
  while (text.length < SECRET_LENGTH)
    for (const byte of crypto.getRandomValues(new Uint8Array(32)))
      if (byte < 248 && text.length < SECRET_LENGTH) text += BASE62[byte % 62]
  return text
}

/** The block that a number of this queue comes from now. */
const openBlock = ({ blocks, used, aheadMs }: Store, queueId: number): Block | undefined => {
  const now = Date.now() + aheadMs
  return blocks.find(
    (block) =>
      block.queue_id === queueId &&
      Date.parse(block.starts_at) <= now &&
      now < Date.parse(block.expires_at) &&
      (used[block.id] ?? 0) < block.numbers.length,
  )
}

/** Takes over what the server leased; what was given here and not told of yet stays given. */
export const keepBlocks = ({ now, url, blocks }: TicketsReserveNumbers): Promise<void> =>
  change<Store, void>(KEY, (store = EMPTY) => ({
    value: {
      ...store,
      blocks,
      url,
      aheadMs: Date.parse(now) - Date.now(),
      used: Object.fromEntries(blocks.map(({ id, given }) => [id, Math.max(given, store.used[id] ?? 0)])),
    },
    result: undefined,
  }))

/** Queues that can give a number now without a network. */
export async function queuesWithNumbers(queueIds: readonly number[]): Promise<number[]> {
  const store = (await kept<Store>(KEY)) ?? EMPTY
  return queueIds.filter((id) => openBlock(store, id))
}

/** Gives the next number, once it is written down; undefined when there is none. */
export async function giveNumber(
  queueId: number,
  language: Language,
  insteadOf: string | undefined,
): Promise<OfflineNumber | undefined> {
  const store = (await kept<Store>(KEY)) ?? EMPTY
  const url = store.url + newSecret()
  const token = url.slice(url.lastIndexOf('/') + 1)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)))
  return change<Store, OfflineNumber | undefined>(KEY, (value = EMPTY) => {
    const block = openBlock(value, queueId)
    if (!block) return { value, result: undefined }
    const n = value.used[block.id] ?? 0
    const takenAt = new Date(Date.now() + value.aheadMs).toISOString()
    const given: Given = {
      key: newKey(),
      block_id: block.id,
      serial: block.first_serial + n,
      taken_at: takenAt,
      token_hash: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join(''),
      language,
      ...(insteadOf !== undefined && { instead_of: insteadOf }),
    }
    return {
      value: { ...value, used: { ...value.used, [block.id]: n + 1 }, given: [...value.given, given] },
      result: {
        number: block.numbers[n]!,
        takenAt,
        url,
        check: `${SIGNS[hash[0]! & 31]}${SIGNS[hash[1]! & 31]}`,
      },
    }
  })
}

/** What the server has not heard of, in the order it was given. */
export const untold = async (): Promise<Given[]> => (await kept<Store>(KEY))?.given ?? []

export const forgetGiven = (key: string): Promise<void> =>
  change<Store, void>(KEY, (store = EMPTY) => ({
    value: { ...store, given: store.given.filter((each) => each.key !== key) },
    result: undefined,
  }))
