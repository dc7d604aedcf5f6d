import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { whenOver } from '../../server/test/when-over.ts'

const A = 1
const AAAA = 28
const bytesOf = (address: string): number[] =>
  isIPv6(address) ? expand(address).flatMap((group) => [group >> 8, group & 255]) : address.split('.').map(Number)
const expand = (address: string): number[] => {
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text ? text.split(':').map((group) => parseInt(group, 16)) : [])
  const [before, after] = [groups(head), groups(tail ?? '')]
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

/** A name server on loopback that knows these names; `127.0.0.1:port`. A name with an empty list is never answered. */
export async function nameServer(names: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    let at = 12
    const labels: string[] = []
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.subarray(at + 1, at + 1 + length).toString())
      at += 1 + length
    }
    const question = query.subarray(12, at + 5)
    const type = query.readUInt16BE(at + 1)
    const known = names[labels.join('.')]
    if (known?.length === 0) return
    const found = (known ?? []).filter((address) => type === (isIPv6(address) ? AAAA : A))
    const header = Buffer.from([...query.subarray(0, 2), 0x81, known ? 0x80 : 0x83, 0, 1, 0, found.length, 0, 0, 0, 0])
    const answers = found.map((address) => {
      const data = bytesOf(address)
      return Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data])
    })
    socket.send(Buffer.concat([header, question, ...answers]), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  whenOver(() => socket.close())
  return `127.0.0.1:${socket.address().port}`
}
