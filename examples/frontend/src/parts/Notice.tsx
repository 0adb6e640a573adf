import type { ReactNode } from "react";

interface Props {
  title: string;
  children: ReactNode;
  testid: string;
  urgent?: boolean;
}

/** A card that says why there is nothing to see. */
export function Notice({ title, children, testid, urgent = false }: Props) {
  return (
    <section className="notice" data-testid={testid} role={urgent ? "alert" : "status"}>
      <h2>{title}</h2>
      <p>{children}</p>
    </section>
  );
}
