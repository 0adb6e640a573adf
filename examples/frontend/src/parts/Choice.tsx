import { NAMES } from "../format";
import type { Quantity } from "../series";

interface Props {
  value: Quantity;
  onChange: (value: Quantity) => void;
}

/** Which quantity is drawn. */
export function Choice({ value, onChange }: Props) {
  return (
    <div className="choice" role="group" aria-label="Quantity">
      {(Object.keys(NAMES) as Quantity[]).map((quantity) => (
        <button key={quantity} type="button" aria-pressed={quantity === value} onClick={() => onChange(quantity)}>
          {NAMES[quantity]}
        </button>
      ))}
    </div>
  );
}
