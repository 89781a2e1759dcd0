/** Events per second in the last minute. */
import { memo } from "react";
import { formatNumber } from "../../lib/format";

const WIDTH = 300;
const HEIGHT = 56;

export const EventRate = memo(function EventRate({ rate }: { rate: readonly number[] }) {
  const peak = Math.max(...rate);
  const latest = rate.at(-1) ?? 0;
  const step = WIDTH / rate.length;

  return (
    <figure className="rate">
      <figcaption>
        <span className="summary-label">Events per second</span>
        <span className="summary-value" data-testid="rate">{formatNumber(latest)}</span>
        <span className="summary-sub">peak {formatNumber(peak)} in 60 s</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Events per second in the last minute: ${latest} now, ${peak} at most`}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {rate.map((count, index) => {
          const height = peak === 0 ? 0 : (count / peak) * (HEIGHT - 4);
          // The bars are identified only by their position.
          return <rect key={index} x={index * step + 0.75} width={step - 1.5} y={HEIGHT - height} height={height} rx="1" />;
        })}
      </svg>
    </figure>
  );
});
