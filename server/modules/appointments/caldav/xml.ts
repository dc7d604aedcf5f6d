import { DOMParser, type Element } from '@xmldom/xmldom'

const DAV = 'DAV:'
const CALDAV = 'urn:ietf:params:xml:ns:caldav'

/** One resource of a multistatus answer (RFC 4918 §13). */
export interface Answered {
  /** Last part of the address, decoded; empty for the collection itself. */
  name: string
  /** Of the resource as a whole; 0 where only its properties have one. */
  status: number
  etag: string | null
  data: string | null
  isCalendar: boolean
}

/** @throws Error for what is no multistatus, or declares entities */
export function readMultistatus(text: string): { answers: Answered[]; token: string | null } {
  // No answer of a calendar needs one; without it there is nothing to expand.
  if (text.includes('<!DOCTYPE')) throw new Error('a document type in an answer')
  const root = new DOMParser({
    onError(level, message) {
      if (level !== 'warning') throw new Error(message)
    },
  }).parseFromString(text, 'text/xml').documentElement
  if (root?.namespaceURI !== DAV || root.localName !== 'multistatus') throw new Error('no multistatus')
  const answers = [...root.getElementsByTagNameNS(DAV, 'response')].map(answerOf)
  return { answers, token: first(root, DAV, 'sync-token') }
}

function answerOf(response: Element): Answered {
  const href = first(response, DAV, 'href') ?? ''
  const own = [...response.childNodes].find((node) => node.nodeName.replace(/^.*:/, '') === 'status')
  return {
    name: decodeURIComponent(new URL(href.trim(), 'https://any.invalid/').pathname.split('/').at(-1)!),
    status: own ? Number(/ (\d{3})/.exec(own.textContent ?? '')?.[1] ?? 0) : 0,
    etag: first(response, DAV, 'getetag'),
    data: first(response, CALDAV, 'calendar-data'),
    isCalendar: response.getElementsByTagNameNS(CALDAV, 'calendar').length > 0,
  }
}

const first = (element: Element, namespace: string, name: string): string | null =>
  element.getElementsByTagNameNS(namespace, name).item(0)?.textContent || null

const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escape = (text: string) => text.replace(/[&<>"]/g, (character) => ESCAPED[character]!)
const head = '<?xml version="1.0" encoding="utf-8"?>'
const spaces = `xmlns:d="${DAV}" xmlns:c="${CALDAV}"`

export const findBody = `${head}<d:propfind ${spaces}><d:prop><d:resourcetype/><d:getetag/></d:prop></d:propfind>`
export const syncBody = (token: string) =>
  `${head}<d:sync-collection ${spaces}><d:sync-token>${escape(token)}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>`
export const readBody = (paths: readonly string[]) =>
  `${head}<c:calendar-multiget ${spaces}><d:prop><d:getetag/><c:calendar-data/></d:prop>${paths.map((path) => `<d:href>${escape(path)}</d:href>`).join('')}</c:calendar-multiget>`
