/** A waiting ticket's place in the order of service: `rank`, then `id`; both integers within ±(2^53 − 1). */
export interface RankKey {
  rank: number
  id: number
}

/** Most entries of a block; a full one splits in two. Small enough to shift quickly, large enough to keep blocks few. */
const BLOCK = 512
const SMALLEST = 16

interface Block {
  ranks: Float64Array
  ids: Float64Array
  size: number
}

const newBlock = (capacity: number): Block => ({
  ranks: new Float64Array(capacity),
  ids: new Float64Array(capacity),
  size: 0,
})

/**
 * The waiting tickets of one queue in the order of service, able to say at any time how many stand before a given key.
 * Sorted blocks in typed arrays, and a Fenwick tree over the block sizes: insert, delete, `rankOf` and `at` take
 * O(log n) steps plus a shift inside one block; 16 bytes an entry when tickets arrive in order, at most about 40 under
 * random churn.
 */
export class RankIndex {
  #blocks: Block[] = [newBlock(SMALLEST)]
  /** Fenwick tree: `#tree[i]` is the number of entries in the blocks `i - (i & -i) … i - 1`. */
  #tree = new Int32Array(2)
  #size = 0

  /** Builds from keys already in order. Throws RangeError when the arrays differ in length or are not ascending. */
  static from(ranks: ArrayLike<number>, ids: ArrayLike<number>): RankIndex {
    if (ranks.length !== ids.length) throw new RangeError('ranks and ids differ in length')
    const index = new RankIndex()
    for (let i = 0; i < ranks.length; i++) {
      if (i > 0 && compare(ranks[i - 1]!, ids[i - 1]!, ranks[i]!, ids[i]!) >= 0)
        throw new RangeError('keys not ascending')
      index.insert(ranks[i]!, ids[i]!)
    }
    return index
  }

  get size(): number {
    return this.#size
  }

  /** Adds a key; false when it is present already. Throws RangeError when rank or id is no safe integer. */
  insert(rank: number, id: number): boolean {
    if (!Number.isSafeInteger(rank) || !Number.isSafeInteger(id))
      throw new RangeError('rank and id must be safe integers')
    let at = this.#blockOf(rank, id)
    let place = lowerBound(this.#blocks[at]!, rank, id)
    if (isAt(this.#blocks[at]!, place, rank, id)) return false
    if (this.#blocks[at]!.size === BLOCK) {
      at = this.#makeRoom(at, place)
      place = lowerBound(this.#blocks[at]!, rank, id)
    }
    insertAt(this.#blocks[at]!, place, rank, id)
    this.#count(at, 1)
    return true
  }

  /** Removes a key; false when it is not there. */
  delete(rank: number, id: number): boolean {
    const at = this.#blockOf(rank, id)
    const block = this.#blocks[at]!
    const place = lowerBound(block, rank, id)
    if (!isAt(block, place, rank, id)) return false
    block.ranks.copyWithin(place, place + 1, block.size)
    block.ids.copyWithin(place, place + 1, block.size)
    block.size--
    this.#count(at, -1)
    this.#mergeSmall(at)
    return true
  }

  has(rank: number, id: number): boolean {
    const block = this.#blocks[this.#blockOf(rank, id)]!
    return isAt(block, lowerBound(block, rank, id), rank, id)
  }

  /** How many keys are smaller than this one, present or not: the number of people ahead. */
  rankOf(rank: number, id: number): number {
    const at = this.#blockOf(rank, id)
    let before = lowerBound(this.#blocks[at]!, rank, id)
    for (let i = at; i > 0; i -= i & -i) before += this.#tree[i]!
    return before
  }

  /** The k-th key in order, from 0; undefined outside 0 … size − 1. */
  at(k: number): RankKey | undefined {
    if (!(k >= 0 && k < this.#size)) return undefined
    let at = 0
    let left = Math.floor(k)
    for (let step = 1 << (31 - Math.clz32(this.#blocks.length)); step > 0; step >>= 1) {
      const next = at + step
      if (next <= this.#blocks.length && this.#tree[next]! <= left) {
        at = next
        left -= this.#tree[next]!
      }
    }
    const block = this.#blocks[at]!
    return { rank: block.ranks[left]!, id: block.ids[left]! }
  }

  /** The first `n` keys in order (all by default). The index must not change while they are read. */
  *first(n = Infinity): Generator<RankKey> {
    let left = n
    for (const block of this.#blocks) {
      for (let i = 0; i < block.size && left > 0; i++, left--) yield { rank: block.ranks[i]!, id: block.ids[i]! }
    }
  }

  /** Position of the last block that starts at or before the key; 0 when all start after it. */
  #blockOf(rank: number, id: number): number {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const block = this.#blocks[middle]!
      if (compare(block.ranks[0]!, block.ids[0]!, rank, id) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }

  /**
   * Opens room at `place` of a full block and returns the block that has it. An arrival at the very end starts a new
   * block, so that blocks stay full when tickets come in order.
   */
  #makeRoom(at: number, place: number): number {
    const block = this.#blocks[at]!
    const next = newBlock(BLOCK)
    const isLast = at === this.#blocks.length - 1 && place === BLOCK
    const kept = isLast ? BLOCK : BLOCK >> 1
    next.ranks.set(block.ranks.subarray(kept))
    next.ids.set(block.ids.subarray(kept))
    next.size = BLOCK - kept
    block.size = kept
    this.#blocks.splice(at + 1, 0, next)
    this.#rebuildTree()
    return place > kept || isLast ? at + 1 : at
  }

  /** Joins a block that became small with a neighbour, leaving room in the result for later arrivals. */
  #mergeSmall(at: number) {
    if (this.#blocks.length === 1 || this.#blocks[at]!.size > BLOCK >> 2) return
    const left = at > 0 ? at - 1 : at
    const first = this.#blocks[left]!
    const second = this.#blocks[left + 1]!
    const size = first.size + second.size
    if (this.#blocks[at]!.size > 0 && size > (BLOCK * 3) >> 2) return
    if (first.size === 0 || second.size === 0) {
      this.#blocks.splice(first.size === 0 ? left : left + 1, 1)
    } else {
      const joined = newBlock(BLOCK)
      joined.ranks.set(first.ranks.subarray(0, first.size))
      joined.ids.set(first.ids.subarray(0, first.size))
      joined.ranks.set(second.ranks.subarray(0, second.size), first.size)
      joined.ids.set(second.ids.subarray(0, second.size), first.size)
      joined.size = size
      this.#blocks.splice(left, 2, joined)
    }
    this.#rebuildTree()
  }

  #count(at: number, change: number) {
    this.#size += change
    for (let i = at + 1; i < this.#tree.length; i += i & -i) this.#tree[i]! += change
  }

  #rebuildTree() {
    const blocks = this.#blocks
    if (this.#tree.length !== blocks.length + 1) this.#tree = new Int32Array(blocks.length + 1)
    else this.#tree.fill(0)
    for (let i = 1; i <= blocks.length; i++) {
      this.#tree[i]! += blocks[i - 1]!.size
      const parent = i + (i & -i)
      if (parent <= blocks.length) this.#tree[parent]! += this.#tree[i]!
    }
  }
}

function compare(rankA: number, idA: number, rankB: number, idB: number): number {
  return rankA - rankB || idA - idB
}

/** First place in the block whose key is not smaller than (rank, id). */
function lowerBound(block: Block, rank: number, id: number): number {
  let low = 0
  let high = block.size
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(block.ranks[middle]!, block.ids[middle]!, rank, id) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function isAt(block: Block, place: number, rank: number, id: number): boolean {
  return place < block.size && block.ranks[place] === rank && block.ids[place] === id
}

function insertAt(block: Block, place: number, rank: number, id: number) {
  if (block.size === block.ranks.length) {
    const larger = newBlock(Math.min(BLOCK, 2 * block.size))
    larger.ranks.set(block.ranks)
    larger.ids.set(block.ids)
    block.ranks = larger.ranks
    block.ids = larger.ids
  }
  block.ranks.copyWithin(place + 1, place, block.size)
  block.ids.copyWithin(place + 1, place, block.size)
  block.ranks[place] = rank
  block.ids[place] = id
  block.size++
}
