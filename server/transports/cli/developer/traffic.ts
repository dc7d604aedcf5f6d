import { traffic as letComeAndGo } from '../../../../sdk/src/sandbox.ts'
import { complain, print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

/** Lets visitors come and agents serve them in a sandbox. @returns how many came and how many were served */
export async function traffic(
  flags: Kept & { rate: string; speed: string; visitors?: string },
  signal?: AbortSignal,
): Promise<{ came: number; served: number }> {
  const [rate, speed, visitors] = [Number(flags.rate), Number(flags.speed), Number(flags.visitors ?? Infinity)]
  if (!(rate > 0) || !(speed > 0) || !(visitors > 0))
    throw new Error('--rate, --speed and --visitors are numbers above 0')
  const { came, served, gone } = await letComeAndGo(connect(flags).client, {
    rate,
    speed,
    visitors,
    ...(signal && { signal }),
    onRefusal: (id, code) => complain(`agent ${id}: ${code}`),
  })
  print(`${came} came, ${served} were served, ${gone} did not come`)
  return { came, served }
}
