import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** `npm run gallery`: takes the pictures of docs/screens/ anew. */
export default defineConfig({ test: { ...base.test, include: ['web/test/*.gallery.ts'] } })
