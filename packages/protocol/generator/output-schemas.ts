import { z } from 'zod';
import { cameraOutputSchema, glbExtrasSchema, landmarksOutputSchema, reportOutputSchema } from '../src/outputs.ts';

/** The JSON Schema files of docs/schemas/ and what each is made from. */
export const OUTPUT_SCHEMAS = {
  'camera.schema.json': cameraOutputSchema,
  'glb-extras.schema.json': glbExtrasSchema,
  'landmarks.schema.json': landmarksOutputSchema,
  'report.schema.json': reportOutputSchema,
} as const;

/** JSON Schema (draft 2020-12) of a zod schema, as text. */
export const formatSchema = (schema: z.ZodType): string => `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`;
