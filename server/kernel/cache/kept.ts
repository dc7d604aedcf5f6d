/** An answer as it is sent, and what it stands on. */
export interface Kept {
  /** Under which `Answers.current` finds what replaced it. */
  key: string
  body: Buffer
  etag: string
  /** `epoch:offset` of the site's stream: the answer knows at least all events up to it. */
  position: string
  /** Whether nothing that it shows has changed since, as far as the streams have told this process. */
  isCurrent(): boolean
}
