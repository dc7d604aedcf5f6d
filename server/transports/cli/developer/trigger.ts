import { trigger as makeHappen } from '../../../../sdk/src/sandbox.ts'
import { print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

/** Makes an event happen as people would, in a sandbox. */
export async function trigger(event: string, flags: Kept): Promise<void> {
  const { number, id } = await makeHappen(connect(flags).client, event)
  print(`${event}: ticket ${number} (${id})`)
}
