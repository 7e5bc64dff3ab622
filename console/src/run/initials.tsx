import './lane.css';
import type { ReactElement } from 'react';
import { visible } from 'telltale/react/parts';
import { initialsOf, laneOf } from './lane.ts';

/** The mark of an agent, beside its name. */
export const Initials = ({ name }: { readonly name: string }): ReactElement => (
  <span className="initials" data-lane={laneOf(name)} aria-hidden="true">
    {initialsOf(visible(name))}
  </span>
);
