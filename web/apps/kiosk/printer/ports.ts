/** A wire to a printer. */
export interface Port {
  write(bytes: Uint8Array): Promise<void>
  /** The next byte that comes back, or undefined when none does. */
  read(): Promise<number | undefined>
  /** Lets go of it, so that it can be opened anew. */
  close(): Promise<void>
}
export type Wire = 'serial' | 'usb'

/** A printer that takes nothing for so long is stuck. */
const WRITE_MS = 20_000
/** Status is answered in real time, within a few milliseconds. */
const READ_MS = 1000
/** Of one USB transfer. */
const CHUNK = 16_384

function within<Value, Late>(ms: number, work: Promise<Value>, late: () => Late): Promise<Value | Late> {
  let timer: ReturnType<typeof setTimeout>
  const over = new Promise<Late>((done, failed) => {
    timer = setTimeout(() => {
      try {
        done(late())
      } catch (error) {
        failed(error)
      }
    }, ms)
  })
  return Promise.race([work, over]).finally(() => clearTimeout(timer))
}
const stuck = () => {
  throw new Error('the printer takes nothing')
}

/** As far as they are used here (WICG Web Serial, WebUSB). */
interface SerialPort {
  open(options: { baudRate: number; flowControl: 'hardware' | 'none' }): Promise<void>
  readable: ReadableStream<Uint8Array>
  writable: WritableStream<Uint8Array>
  close(): Promise<void>
}
interface UsbEndpoint {
  endpointNumber: number
  direction: 'in' | 'out'
  type: string
}
interface UsbDevice {
  open(): Promise<void>
  selectConfiguration(value: number): Promise<void>
  claimInterface(number: number): Promise<void>
  configuration: {
    interfaces: { interfaceNumber: number; alternate: { interfaceClass: number; endpoints: UsbEndpoint[] } }[]
  } | null
  transferOut(endpoint: number, data: Uint8Array): Promise<unknown>
  transferIn(endpoint: number, length: number): Promise<{ data?: DataView }>
  close(): Promise<void>
}
interface Devices {
  serial?: { getPorts(): Promise<SerialPort[]>; requestPort(): Promise<SerialPort> }
  usb?: { getDevices(): Promise<UsbDevice[]>; requestDevice(wanted: object): Promise<UsbDevice> }
}
const devices = () => navigator as unknown as Devices
const PRINTER_CLASS = 7

/** Lets staff choose the printer; the browser remembers it. Only after a touch. */
export async function choosePort(wire: Wire): Promise<void> {
  if (wire === 'usb') await devices().usb?.requestDevice({ filters: [{ classCode: PRINTER_CLASS }] })
  else await devices().serial?.requestPort()
}

/** The printer that staff has chosen; undefined when none was. */
export async function openPort(wire: Wire, baudRate: number): Promise<Port | undefined> {
  if (wire === 'usb') {
    const [device] = (await devices().usb?.getDevices()) ?? []
    return device && openUsb(device)
  }
  const [port] = (await devices().serial?.getPorts()) ?? []
  return port && openSerial(port, baudRate)
}

async function openSerial(port: SerialPort, baudRate: number): Promise<Port> {
  await port.open({ baudRate, flowControl: 'hardware' })
  const writer = port.writable.getWriter()
  const reader = port.readable.getReader()
  let reading: Promise<number | undefined> | undefined
  return {
    write: (bytes) => within(WRITE_MS, writer.write(bytes), stuck),
    async read() {
      // One that came too late is the next answer's: it is waited for once.
      reading ??= reader.read().then(({ value }) => value?.at(-1))
      const byte = await within(READ_MS, reading, () => null)
      if (byte === null) return undefined
      reading = undefined
      return byte
    },
    async close() {
      await Promise.allSettled([writer.abort(), reader.cancel()])
      writer.releaseLock()
      reader.releaseLock()
      await port.close()
    },
  }
}

async function openUsb(device: UsbDevice): Promise<Port> {
  await device.open()
  if (!device.configuration) await device.selectConfiguration(1)
  const face = device.configuration!.interfaces.find(({ alternate }) => alternate.interfaceClass === PRINTER_CLASS)
  if (!face) throw new Error('no printer')
  await device.claimInterface(face.interfaceNumber)
  const end = (direction: string) =>
    face.alternate.endpoints.find((each) => each.type === 'bulk' && each.direction === direction)?.endpointNumber
  const [into, from] = [end('out'), end('in')]
  if (into === undefined) throw new Error('no printer')
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += CHUNK)
        await within(WRITE_MS, device.transferOut(into, bytes.slice(at, at + CHUNK)), stuck)
    },
    async read() {
      if (from === undefined) return undefined
      const answer = await within(READ_MS, device.transferIn(from, 64), () => undefined)
      return answer?.data?.byteLength ? answer.data.getUint8(answer.data.byteLength - 1) : undefined
    },
    close: () => device.close(),
  }
}
