export { dump } from './dump.ts'
export { hold, isHeld, release, renewEpochs } from './held.ts'
export { load } from './load.ts'
export { readManifest, type Manifest } from './manifest.ts'
