// The first byte of every frame (BEP 3, 5, 6, 10).

export const MessageId = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  block: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** True for a message of BEP 6, which is legal only when both sides have set the fast bit. */
export function isFastMessage(id: number): boolean {
  return id >= MessageId.suggest && id <= MessageId.allowedFast;
}
