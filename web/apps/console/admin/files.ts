/** Hands the browser a file. */
export function saveFile(name: string, type: string, bytes: Uint8Array<ArrayBuffer> | string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

/** The content of a file as operations take it. */
export function base64(content: ArrayBuffer): string {
  const bytes = new Uint8Array(content)
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}
