// Types of file systems (`f_type` of statfs(2)): linux/magic.h, and the sources of the file systems that are not part of the
// kernel. Does not know what follows from a type.

/** Lies in memory. */
export const TMPFS = 0x01021994;

/**
 * Other machines, or a program, change their files without this kernel's knowledge: pages of a map can vanish, and the
 * processes that have a file open share no memory.
 */
const NETWORK_FILE_SYSTEMS = {
  nfs: 0x6969,
  smb: 0x517b,
  cifs: 0xff534d42,
  smb2: 0xfe534d42,
  ncp: 0x564c,
  afs: 0x5346414f,
  kafs: 0x6b414653,
  coda: 0x73757245,
  ceph: 0x00c36400,
  lustre: 0x0bd00bd0,
  gpfs: 0x47504653,
  beegfs: 0x19830326,
  orangefs: 0x20030528,
  panfs: 0xaad7aaea,
  ibrix: 0x013111a8,
  stornext: 0xbeefdead,
  // A disk that several machines mount.
  gfs2: 0x01161970,
  ocfs2: 0x7461636f,
  acfs: 0x61636673,
  vxfs: 0xa501fcf5,
  // A folder of the machine around a virtual one.
  "9p": 0x01021997,
  vboxsf: 0x786f4256,
  vmhgfs: 0xbacbacbc,
  parallels: 0x7c7c6673,
  // sshfs, GlusterFS, virtiofs and any other program: the type does not say what lies behind it.
  fuse: 0x65735546,
} as const;

const NETWORK_TYPES: ReadonlySet<number> = new Set(Object.values(NETWORK_FILE_SYSTEMS));

/** `type`: `f_type` of statfs(2). It has 32 bits, and may be given as a negative number. */
export function isNetworkFileSystem(type: number): boolean {
  return NETWORK_TYPES.has(type >>> 0);
}
