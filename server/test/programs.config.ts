import { defineConfig } from 'vitest/config'
import base, { PROGRAMS, project } from '../../vitest.config.ts'

/** `npm run test:processes`: what becomes of whole programs that are killed, stopped, cut off or restored. */
export default defineConfig({
  test: { ...base.test, projects: [project('programs', { include: PROGRAMS, isolate: false })] },
})
