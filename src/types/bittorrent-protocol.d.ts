// bittorrent-protocol 5.0.9: the members that src/wire uses; test/shims.test.ts checks that each exists.

declare module "bittorrent-protocol" {
  /** What `use` takes: `prototype.name` is the extension's name on the wire (BEP 10). */
  export interface WireExtension {
    new (wire: Wire): object;
    readonly prototype: { readonly name: string };
  }

  export interface HandshakeExtensions {
    readonly dht: boolean;
    readonly fast: boolean;
    readonly extended?: boolean;
  }

  export interface WireListeners {
    handshake: (infoHash: string, peerId: string, extensions: HandshakeExtensions) => void;
    choke: () => void;
    unchoke: () => void;
    interested: () => void;
    uninterested: () => void;
    have: (index: number) => void;
    bitfield: (bitfield: unknown) => void;
    request: (index: number, begin: number, length: number) => void;
    piece: (index: number, begin: number, payload: Uint8Array) => void;
    cancel: (index: number, begin: number, length: number) => void;
    port: (port: number) => void;
    suggest: (index: number) => void;
    "have-all": () => void;
    "have-none": () => void;
    reject: (index: number, begin: number, length: number) => void;
    "allowed-fast": (index: number) => void;
    extended: (name: string | number, payload: unknown) => void;
  }

  export default class Wire {
    constructor(type?: "tcpIncoming" | "tcpOutgoing");
    readonly amChoking: boolean;
    readonly amInterested: boolean;
    readonly peerChoking: boolean;
    readonly peerInterested: boolean;
    readonly hasFast: boolean;
    readonly peerAllowedFastSet: readonly number[];
    readonly peerExtensions: Partial<HandshakeExtensions>;
    readonly peerExtendedMapping: Readonly<Record<string, number>>;
    extendedHandshake: Record<string, unknown>;

    on<Name extends keyof WireListeners>(name: Name, listener: WireListeners[Name]): this;
    use(extension: WireExtension): void;
    handshake(infoHash: string, peerId: string, extensions: HandshakeExtensions): void;
    choke(): void;
    unchoke(): void;
    interested(): void;
    uninterested(): void;
    have(index: number): void;
    bitfield(bytes: Uint8Array): void;
    haveAll(): void;
    haveNone(): void;
    suggest(index: number): void;
    allowedFast(index: number): void;
    reject(index: number, begin: number, length: number): void;
    port(port: number): void;
    keepAlive(): void;
    extended(id: number | string, payload: Uint8Array): void;
    destroy(): this | undefined;
    end(): unknown;

    /** Not public, and the reason for the exact version in package.json. */
    _finished: boolean;
    readonly _extendedHandshakeSent?: boolean;
    _push(data: Uint8Array): unknown;
    _debug(...words: unknown[]): void;
    /** 67 bytes: the handshake without its first byte. */
    _onHandshakeBuffer(handshake: Uint8Array): void;
    /** A whole frame, id first. */
    _onMessage(frame: Uint8Array): void;
    _sendExtendedHandshake(): void;
  }
}
