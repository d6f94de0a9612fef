import { EDGE_IDS, type EdgeId, isEdgeId } from '../region/edge.ts';
import { notARegion } from '../region/place-name.ts';
import { isRegionId, REGION_IDS, type RegionId } from '../region/region.ts';
import { SettingsError } from './settings.ts';

/** The Region a process was started for. */
export function regionOf(argument: string | undefined): RegionId {
  if (argument !== undefined && isRegionId(argument)) return argument;
  if (argument === undefined) throw new SettingsError(`no Region: expected one of ${REGION_IDS.join(', ')}`);
  throw new SettingsError(notARegion(argument));
}

/** The edges an edge process serves; none named: all. */
export function edgesOf(names: readonly string[]): readonly EdgeId[] {
  const wrong = names.find((name) => !isEdgeId(name));
  if (wrong !== undefined)
    throw new SettingsError(`"${wrong}" is no Edge Location: expected some of ${EDGE_IDS.join(', ')}`);
  return names.length === 0 ? EDGE_IDS : names.filter(isEdgeId);
}
