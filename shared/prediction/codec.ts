/** What a state is made of: plain values and arrays of numbers, which keep every bit. */
export type Stored =
  | number
  | string
  | boolean
  | null
  | Uint8Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | readonly Stored[]
  | { readonly [name: string]: Stored }

const HEAD_BYTES = 4
const isArray = (value: unknown): value is Uint8Array | Float16Array | Float32Array | Float64Array =>
  ArrayBuffer.isView(value) && !(value instanceof DataView)

/** A state as bytes: the length of a JSON document, the document, then the arrays that it refers to by place. */
export function pack(state: Stored): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = []
  let length = 0
  const text = JSON.stringify(state, (_, value: unknown) => {
    if (!isArray(value)) return value
    const place = length
    pieces.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    length += value.byteLength
    return { [`f${value.BYTES_PER_ELEMENT}`]: [place, value.length] }
  })
  const document = new TextEncoder().encode(text)
  const packed = new Uint8Array(HEAD_BYTES + document.length + length)
  new DataView(packed.buffer).setUint32(0, document.length)
  packed.set(document, HEAD_BYTES)
  let at = HEAD_BYTES + document.length
  for (const piece of pieces) {
    packed.set(piece, at)
    at += piece.length
  }
  return packed
}

/** @throws SyntaxError or RangeError when the bytes are not a packed state */
export function unpack(packed: Uint8Array): Stored {
  const documentLength = new DataView(packed.buffer, packed.byteOffset).getUint32(0)
  // A copy: Node's buffers share one block of memory, and slice() of theirs does not copy.
  const arrays = new Uint8Array(packed.subarray(HEAD_BYTES + documentLength)).buffer
  const text = new TextDecoder().decode(packed.subarray(HEAD_BYTES, HEAD_BYTES + documentLength))
  return JSON.parse(text, (_, value: unknown) => {
    const { f1, f2, f4, f8 } = (value ?? {}) as Partial<Record<'f1' | 'f2' | 'f4' | 'f8', [number, number]>>
    if (f1) return new Uint8Array(arrays.slice(f1[0], f1[0] + f1[1]))
    if (f2) return new Float16Array(arrays.slice(f2[0], f2[0] + f2[1] * 2))
    if (f4) return new Float32Array(arrays.slice(f4[0], f4[0] + f4[1] * 4))
    if (f8) return new Float64Array(arrays.slice(f8[0], f8[0] + f8[1] * 8))
    return value
  }) as Stored
}
