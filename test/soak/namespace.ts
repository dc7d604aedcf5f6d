import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
/** Of nobody on this machine: frames to it are dropped by whoever gets them. */
const NOBODY = '02:00:00:00:00:01'

/** Which packets are lost: all, those to the other side, or its answers. */
export type Loss = 'both' | 'there' | 'back'

/**
 * A network of its own on this machine, joined to ours by one cable. What is lost on the cable is lost without a word, as
 * behind a firewall that drops: frames go out and reach nobody.
 */
export class Namespace {
  readonly name = `smartqueue-${process.pid}`
  /** In RFC 2544's range for measurements, of which nothing leaves this machine. */
  readonly ours: string
  readonly theirs: string
  readonly #cable = `sq${process.pid % 1_000_000}`

  constructor() {
    const net = `198.18.${process.pid % 250}`
    ;[this.ours, this.theirs] = [`${net}.1`, `${net}.2`]
    ip('netns', 'add', this.name)
    try {
      ip('link', 'add', this.#cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name)
      ip('addr', 'add', `${this.ours}/30`, 'dev', this.#cable)
      ip('link', 'set', this.#cable, 'up')
      this.#inside('addr', 'add', `${this.theirs}/30`, 'dev', 'eth0')
      this.#inside('link', 'set', 'eth0', 'up')
      this.#inside('link', 'set', 'lo', 'up')
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Why none can be made here, or undefined when it can. */
  static whyNot(): string | undefined {
    const name = `smartqueue-try-${process.pid}`
    const { status, stderr, error } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
    if (status !== 0) return error ? String(error) : stderr.trim()
    spawnSync('ip', ['netns', 'del', name])
    return undefined
  }

  /** What a command is started through to be inside. */
  get through(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.name}`]
  }

  /** From now on packets are lost, until `heal`. */
  lose(loss: Loss): void {
    if (loss !== 'back') ip('neigh', 'replace', this.theirs, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', this.#cable)
    if (loss !== 'there')
      this.#inside('neigh', 'replace', this.ours, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', 'eth0')
  }

  heal(): void {
    const own = readFileSync(`/sys/class/net/${this.#cable}/address`, 'utf8').trim()
    const other = /link\/ether (\S+)/.exec(this.#inside('link', 'show', 'eth0'))![1]!
    ip('neigh', 'replace', this.theirs, 'lladdr', other, 'nud', 'reachable', 'dev', this.#cable)
    this.#inside('neigh', 'replace', this.ours, 'lladdr', own, 'nud', 'reachable', 'dev', 'eth0')
  }

  /** The cable ends with it. */
  close(): void {
    spawnSync('ip', ['netns', 'del', this.name])
  }

  #inside(...args: string[]): string {
    return ip('-n', this.name, ...args)
  }
}
