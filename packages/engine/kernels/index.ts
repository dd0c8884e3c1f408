export { paintRows, setPaintPhoto, setPaintTables } from './paint';
