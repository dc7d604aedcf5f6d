import { openAsBlob } from 'node:fs'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { S3mini } from 's3mini'
import type { Config } from '../../../config.ts'
import type { Storage } from '../storage-type.ts'

/** A bucket of Amazon's or of any server that speaks S3, named in the path. */
export function s3Storage({
  bucket,
  region,
  endpoint,
  accessKeyId,
  secretAccessKey,
}: NonNullable<Config['s3']>): Storage {
  if (!accessKeyId || !secretAccessKey) throw new Error('S3_BUCKET needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY')
  const base = (endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, '')
  const s3 = new S3mini({ accessKeyId, secretAccessKey, region, endpoint: `${base}/${bucket}` })
  return {
    async put(key, path, type) {
      await s3.putAnyObject(key, await openAsBlob(path, { type }), type)
    },
    async read(key, range) {
      // The library's end is the byte after the last.
      const response = range ? await s3.getObjectRaw(key, false, range[0], range[1] + 1) : await s3.getObjectRaw(key)
      if (!response.ok || !response.body) throw new Error(`the storage answers ${response.status}`)
      return Readable.fromWeb(response.body as ReadableStream)
    },
    async remove(key) {
      await s3.deleteObject(key)
    },
  }
}
