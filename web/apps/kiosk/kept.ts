/** What outlives a cut of the power: a small table in the browser's database, whose writes reach the disk before they count. */
const NAME = 'kiosk'
const TABLE = 'kept'

const answer = <Value>(request: IDBRequest<Value>): Promise<Value> =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result)
    request.onerror = () => failed(request.error ?? new Error('the browser’s database failed'))
  })

let opening: Promise<IDBDatabase> | undefined
function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(TABLE)
  return answer(request)
}

export async function kept<Value>(key: string): Promise<Value | undefined> {
  const table = (await (opening ??= open())).transaction(TABLE).objectStore(TABLE)
  return answer<Value | undefined>(table.get(key))
}

/** Reads and writes in one transaction: of two who change the same, one waits. */
export async function change<Value, Result>(
  key: string,
  work: (value: Value | undefined) => { value: Value; result: Result },
): Promise<Result> {
  const transaction = (await (opening ??= open())).transaction(TABLE, 'readwrite', { durability: 'strict' })
  const table = transaction.objectStore(TABLE)
  const { value, result } = work(await answer<Value | undefined>(table.get(key)))
  table.put(value, key)
  await new Promise<void>((done, failed) => {
    transaction.oncomplete = () => done()
    transaction.onabort = () => failed(transaction.error ?? new Error('nothing was kept'))
  })
  return result
}

export const keep = (key: string, value: unknown): Promise<void> => change(key, () => ({ value, result: undefined }))
