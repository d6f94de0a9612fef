import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, freePorts } from './free-port.ts';
import { until } from './until.ts';
import { readPcm } from './wav-compare.ts';

const MODULES = '/usr/lib/baresip/modules';

export interface BaresipOptions {
  /** What it says into its microphone: WAV, 8 kHz, mono. The call ends with it. */
  readonly microphone: string;
  readonly codec: 'PCMU' | 'PCMA';
  /** The number it calls from. */
  readonly caller: string;
  /** It answers whoever calls it. */
  readonly answers?: boolean;
  /** It registers under this address, `user@host`, by way of a proxy. */
  readonly registers?: {
    readonly aor: string;
    readonly password: string;
    /** `sip:127.0.0.1:5060;transport=tcp` */
    readonly proxy: string;
  };
}

/** A headless baresip on 127.0.0.1, driven over its control port. */
export class Baresip {
  readonly events: Record<string, unknown>[] = [];
  /** Where it can be called. */
  readonly uri: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #socket: Socket | undefined;
  #commands = 0;
  #printed = '';

  private constructor(folder: string, child: ChildProcess, uri: string) {
    this.#folder = folder;
    this.#process = child;
    this.uri = uri;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => {
        this.#printed += data.toString('latin1');
      });
  }

  static async start(path: string, options: BaresipOptions): Promise<Baresip> {
    const { microphone, codec, caller, answers = false, registers } = options;
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-baresip-'));
    // baresip takes its SIP port and the next one, for TLS.
    const [sip, rtp, control] = [await freePorts(2), await freePorts(20), await freePort()];
    mkdirSync(join(folder, 'dump'));
    const settings: readonly (readonly [name: string, value: string])[] = [
      ['poll_method', 'epoll'],
      ['sip_listen', `127.0.0.1:${sip}`],
      ['call_local_timeout', '120'],
      ['audio_source', `aufile,${microphone}`],
      ['audio_player', 'aubridge,nil'],
      ['audio_alert', 'aufile,/dev/null'],
      ['audio_buffer', '20-160'],
      ['ausrc_srate', '8000'],
      ['auplay_srate', '8000'],
      ['ausrc_channels', '1'],
      ['auplay_channels', '1'],
      ['rtp_ports', `${rtp}-${rtp + 19}`],
      ['net_interface', '127.0.0.1'],
      ['module_path', MODULES],
      ...['g711', 'aufile', 'aubridge', 'sndfile'].map((name) => ['module', `${name}.so`] as const),
      ['snd_path', join(folder, 'dump')],
      ...['uuid', 'account'].map((name) => ['module_tmp', `${name}.so`] as const),
      ...['contact', 'menu', 'ctrl_tcp'].map((name) => ['module_app', `${name}.so`] as const),
      ['ctrl_tcp_listen', `127.0.0.1:${control}`],
    ];
    writeFileSync(join(folder, 'config'), settings.map(([name, value]) => `${name}\t\t${value}\n`).join(''));
    writeFileSync(
      join(folder, 'accounts'),
      [
        registers ? `<sip:${registers.aor}>` : `<sip:${caller}@127.0.0.1:${sip}>`,
        registers ? `auth_pass=${registers.password};outbound="${registers.proxy}";regint=3600` : 'regint=0',
        `audio_codecs=${codec};answermode=${answers ? 'auto' : 'manual'}\n`,
      ].join(';'),
    );
    const child = spawn(path, ['-f', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    const baresip = new Baresip(folder, child, `sip:${caller}@127.0.0.1:${sip}`);
    await baresip.#connect(control);
    return baresip;
  }

  /** Everything it printed: what to show when a test fails. */
  get printed(): string {
    return this.#printed;
  }

  dial(uri: string): void {
    this.#command('dial', uri);
  }

  press(key: string): void {
    this.#command('sndcode', key);
  }

  answer(): void {
    this.#command('accept', '');
  }

  hangUp(): void {
    this.#command('hangup', '');
  }

  /** Waits for an event of its call: CALL_ESTABLISHED, CALL_CLOSED … */
  async event(type: string): Promise<Record<string, unknown>> {
    return until(`${type} from baresip`, () => this.events.find((event) => event['type'] === type)).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; it printed:\n${this.#printed}`);
      },
    );
  }

  /** Waits until it is registered: it may be before its control port could tell of that, so what it prints counts. */
  async registered(): Promise<void> {
    await until('baresip to be registered', () =>
      /\b200 OK \(.*\) \[\d+ bindings?\]/.test(this.#printed),
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it printed:\n${this.#printed}`);
    });
  }

  /** What came out of its loudspeaker in its only call, once that is over. */
  heard(): Int16Array {
    const path = this.#dump();
    if (path === undefined) throw new Error(`baresip wrote no dump; it printed:\n${this.#printed}`);
    return readPcm(path);
  }

  /** Milliseconds of what came out of it so far, silence included. */
  heardMs(): number {
    const path = this.#dump();
    return path === undefined ? 0 : statSync(path).size / 16;
  }

  #dump(): string | undefined {
    const folder = join(this.#folder, 'dump');
    const name = readdirSync(folder).find((file) => file.endsWith('-dec.wav'));
    return name && join(folder, name);
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#command('quit', '');
    const patience = setTimeout(() => this.#process.kill('SIGKILL'), 20_000);
    if (this.#process.exitCode === null) await gone;
    clearTimeout(patience);
    this.#socket?.destroy();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #connect(port: number): Promise<void> {
    const open = () =>
      new Promise<Socket | undefined>((resolve) => {
        const socket = createConnection(port, '127.0.0.1', () => resolve(socket));
        socket.once('error', () => resolve(undefined));
      });
    const socket = await until("baresip's control port", open).catch((error: unknown) => {
      throw new Error(`${String(error)}; it printed:\n${this.#printed}`);
    });
    this.#socket = socket;
    let pending = '';
    socket.setEncoding('latin1');
    socket.on('error', () => {}); // it quits
    socket.on('data', (data: string) => {
      pending += data;
      // Netstrings: <length>:<JSON>,
      for (;;) {
        const colon = pending.indexOf(':');
        const length = Number(pending.slice(0, colon));
        if (colon < 1 || pending.length < colon + length + 2) return;
        const message: unknown = JSON.parse(pending.slice(colon + 1, colon + 1 + length));
        pending = pending.slice(colon + length + 2);
        if (typeof message === 'object' && message !== null && 'event' in message)
          this.events.push(Object.fromEntries(Object.entries(message)));
      }
    });
  }

  #command(command: string, params: string): void {
    const text = JSON.stringify({ command, params, token: String(++this.#commands) });
    this.#socket?.write(`${text.length}:${text},`);
  }
}
