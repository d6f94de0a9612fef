import type { Router } from 'express';

/** How the value of a parameter is written; a list of texts is all that is allowed. */
export type ParameterType =
  | 'string'
  | 'sid'
  | 'url'
  | 'method'
  | 'integer'
  | 'boolean'
  | 'date'
  | 'strings'
  | readonly string[];

/** By name, `PageSize` for one. */
export type OperationParameters = Readonly<Record<string, ParameterType>>;

/** An operation as the API's description names it: `/openapi.json` is made of these. */
export interface Operation {
  /** Its operationId in Twilio's description, `ListCall` for one. */
  readonly id: string;
  /** What it takes in the query of a GET or the form of a POST, besides what the path names. */
  readonly parameters?: OperationParameters;
  /** Those of `parameters` that must be given. */
  readonly required?: readonly string[];
  /** The media type of its answer, where it isn't a resource in JSON or XML. */
  readonly answers?: string;
}

/** What is said about a path where it is registered. */
export interface PathDescription {
  /** The XML element of one item, where it isn't the singular of the path's last name: `SipDomain` for `Domains`. */
  readonly element?: string;
  readonly get?: Operation;
  readonly post?: Operation;
  readonly delete?: Operation;
}

/** The parameters of every list of the 2010-04-01 API. */
export const PAGING: OperationParameters = {
  Page: 'integer',
  PageSize: 'integer',
  PageToken: 'string',
};

/** A path as it was registered at a router. */
export interface ServedPath {
  /** As Express writes it, below where the router is mounted. */
  readonly path: string;
  /** `get`, `post`, `delete`. */
  readonly methods: readonly string[];
  readonly description: PathDescription;
}

const paths = new WeakMap<Router, ServedPath[]>();

/** Remembers what a router serves. */
export function describe(router: Router, served: ServedPath): void {
  paths.set(router, [...pathsOf(router), served]);
}

/** What a router serves, in the order of its registration. */
export function pathsOf(router: Router): readonly ServedPath[] {
  return paths.get(router) ?? [];
}
