/** Address and UDP port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export type Codec = 'PCMU' | 'PCMA';

/** What offer/answer agreed on for one leg. */
export interface MediaFormat {
  readonly codec: Codec;
  /** RTP payload type of the codec towards the peer: 0 or 8 unless the peer mapped it elsewhere. */
  readonly payloadType: number;
  /** RTP payload type of `telephone-event/8000`, or undefined when the peer has none. */
  readonly dtmfPayloadType: number | undefined;
}

/** From our side: `sendonly` means the peer asked for `recvonly` or we hold. */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
