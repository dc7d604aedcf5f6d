declare module '*.css'
declare module 'messages:*'
declare module 'sound:chime' {
declare module '*.wav' {
  const url: string
  export default url
}
