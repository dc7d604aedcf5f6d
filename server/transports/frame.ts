/** How a transport puts a frame on its line. The function itself is the key under which the bytes are kept. */
export type Encode = (frame: Frame) => Buffer

/** What is sent once to everybody: a snapshot, an event or a notice, as JSON and, per line, as bytes. */
export class Frame {
  readonly json: string
  /** Position of a client that has taken it in; null for notices, which change nothing. */
  readonly place: { epoch: string; offset: number } | null
  /** When the event was committed, in milliseconds since 1970; null for what is no event. */
  readonly at: number | null
  #bytes: Map<Encode, Buffer> | null = null

  constructor(json: string, place: Frame['place'] = null, at: number | null = null) {
    this.json = json
    this.place = place
    this.at = at
  }

  /** The bytes for one kind of line, made at the first call. */
  bytes(encode: Encode): Buffer {
    this.#bytes ??= new Map()
    let bytes = this.#bytes.get(encode)
    if (!bytes) this.#bytes.set(encode, (bytes = encode(this)))
    return bytes
  }
}

/** Frames that are written together, as one buffer per kind of line. */
export class Batch {
  readonly frames: readonly Frame[]
  #bytes = new Map<Encode, Buffer>()

  constructor(frames: readonly Frame[]) {
    this.frames = frames
  }

  bytes(encode: Encode): Buffer {
    if (this.frames.length === 1) return this.frames[0]!.bytes(encode)
    let bytes = this.#bytes.get(encode)
    if (!bytes) this.#bytes.set(encode, (bytes = Buffer.concat(this.frames.map((frame) => frame.bytes(encode)))))
    return bytes
  }
}
