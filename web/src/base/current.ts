// SPDX-License-Identifier: Apache-2.0
//
// The experiment that the server has, once it is known.

import { Cell } from "./cell";
import type { Experiment } from "./types";

export const current = new Cell<Experiment | null>(null);
