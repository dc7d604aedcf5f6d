export interface DemoDayOptions {}
export function startDemoDay(_options: DemoDayOptions): () => void {
  return () => {}
}
