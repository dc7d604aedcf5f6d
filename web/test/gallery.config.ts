import { defineConfig } from 'vitest/config'
import base, { project } from '../../vitest.config.ts'

/** `npm run gallery`: takes the pictures of docs/screens/ anew. */
export default defineConfig({
  test: { ...base.test, projects: [project('gallery', { include: ['web/test/*.gallery.ts'] })] },
})
