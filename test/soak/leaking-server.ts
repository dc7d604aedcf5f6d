/** The control of the memory run: answers every request, and remembers each for good. Prints its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const LEAKED_BYTES = 2000
const remembered: Buffer[] = []
const server = createServer((_request, response) => {
  remembered.push(Buffer.alloc(LEAKED_BYTES, remembered.length % 256))
  response.end('{}')
}).listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
