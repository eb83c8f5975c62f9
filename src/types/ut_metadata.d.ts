// ut_metadata 4.0.3: the members that src/wire uses; test/shims.test.ts checks that each exists.

declare module "ut_metadata" {
  /** What the extension calls on the wire it belongs to. */
  export interface MetadataWire {
    extendedHandshake: Record<string, unknown>;
    extended(name: string, payload: Uint8Array): void;
  }

  export interface UtMetadata {
    /** The buffer that received pieces are put into while fetching; the raw info dict once it is set. */
    readonly metadata?: Uint8Array;
    onExtendedHandshake(handshake: {
      readonly m: { readonly ut_metadata: number };
      readonly metadata_size: number;
    }): void;
    onMessage(message: Uint8Array): void;
    fetch(): void;
    cancel(): void;
    setMetadata(metadata: Uint8Array): Promise<boolean>;
    on(name: "metadata", listener: (torrent: Uint8Array) => void): this;
    on(name: "warning", listener: (error: Error) => void): this;
  }

  export default function utMetadata(metadata?: Uint8Array): {
    new (wire: MetadataWire): UtMetadata;
    readonly prototype: { readonly name: string };
  };
}
