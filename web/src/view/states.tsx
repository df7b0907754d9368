// SPDX-License-Identifier: Apache-2.0
//
// What is shown instead of an answer: that it comes, that there is none and why, that it
// failed and what can be done.

import type { ComponentChildren, VNode } from "preact";
import { ApiError } from "../base/api";
import { Txt } from "../base/text";

export function Loading({ what }: { what: string }): VNode {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Problem({ error, retry }: { error: unknown; retry?: () => void }): VNode {
  const known = error instanceof ApiError;
  return (
    <div class="problem" role="alert">
      <b>
        <Txt s={known ? error.title : "Something went wrong"} />
      </b>
      <p>
        <Txt s={known ? error.detail : String(error)} />
      </p>
      {known && error.status === 404 ? (
        <p>
          It may be of another experiment, or its name may have changed: <a href="#/overview">Overview</a> lists what there
          is.
        </p>
      ) : null}
      {retry ? (
        <button type="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** Nothing to show, why, and how to get it. */
export function Empty({ children }: { children: ComponentChildren }): VNode {
  return <div class="empty">{children}</div>;
}
